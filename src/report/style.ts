/** The style sheet of every report page. The mark classes (`series`, `accent`, ...) are those of plot.ts's colours. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fcfbf8; --surface: #ffffff; --ink: #23262b; --soft: #65686d; --line: #e2dfd7;
  --series: #3d6b99; --accent: #b5532a; --muted: #8a8880;
  --prose: Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, serif;
  --plain: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #17191c; --surface: #1e2124; --ink: #dcdad4; --soft: #9b9a95; --line: #34373b;
    --series: #85b4e2; --accent: #f0946a; --muted: #85847e;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.0625rem/1.6 var(--prose); }
main { max-width: 46rem; margin: 0 auto; padding: 3.5rem 1.25rem 3rem; }
header { margin-bottom: 2rem; }
header p { margin: 0; color: var(--soft); }
h1, h2 { line-height: 1.2; font-weight: 600; text-wrap: balance; overflow-wrap: anywhere; }
h1 { margin: 0 0 .4rem; font-size: 2rem; letter-spacing: -.01em; }
h2 { margin: 2.75rem 0 .9rem; font-size: 1.3rem; }
p { margin: 0 0 .9rem; overflow-wrap: anywhere; text-wrap: pretty; }
ul { margin: 0; padding-left: 1.2rem; overflow-wrap: anywhere; }
li { margin-bottom: .4rem; }
dl {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1px; margin: 0 0 2rem;
  background: var(--line); border: 1px solid var(--line); border-radius: 8px; overflow: hidden;
}
dl > div { display: flex; flex-direction: column; justify-content: space-between; padding: .8rem 1rem; background: var(--surface); }
dt { color: var(--soft); font: .8rem/1.4 var(--plain); }
dd { margin: .15rem 0 0; font: 600 1.45rem/1.3 var(--plain); font-variant-numeric: tabular-nums; }
dd small { display: block; color: var(--soft); font-size: .8rem; font-weight: 400; }
figure { margin: 0; }
figcaption, .caption { margin: .6rem 0 0; color: var(--soft); font-size: .9rem; line-height: 1.5; }
.scroll { width: max-content; min-width: 100%; max-width: calc(50% + 50vw - 1.25rem); overflow-x: auto; }
section > figure:not(:last-child), section > .scroll:not(:last-child, :has(+ .caption)), .caption:not(:last-child) { margin-bottom: 1.9rem; }
figure svg { --plot-background: var(--paper); width: 100%; max-width: none; height: auto; }
svg .series { fill: var(--series); }
svg .series-line path, svg path.series-line { stroke: var(--series); }
svg .accent { fill: var(--accent); }
svg .accent-line { stroke: var(--accent); }
svg .muted { stroke: var(--muted); }
table { min-width: min(100%, 33rem); border-collapse: collapse; font: .92rem/1.45 var(--plain); font-variant-numeric: tabular-nums; }
th, td { padding: .34rem 0 .34rem 1.25rem; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { padding-left: 0; }
thead th { color: var(--soft); font-weight: 500; border-bottom-color: var(--muted); }
.right { text-align: right; white-space: nowrap; }
thead .right { white-space: normal; vertical-align: bottom; }
.pairs { width: 100%; max-width: 33rem; }
.pairs th { color: var(--soft); font-weight: 400; }
.pairs .right { white-space: normal; overflow-wrap: anywhere; }
footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .85rem; }
@media (max-width: 36rem) {
  main { padding-top: 2rem; }
  h1 { font-size: 1.6rem; }
  th, td { padding-left: 1.1rem; }
  /* A figure shrinks with the screen; its letters should not. */
  figure svg { font-size: 20px !important; }
  dl { grid-template-columns: 1fr 1fr; }
}
@media print {
  :root {
    --paper: #fff; --surface: #fff; --ink: #000; --soft: #444; --line: #ccc;
    --series: #3d6b99; --accent: #b5532a; --muted: #777;
  }
  @page { margin: 18mm; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  figure, dl, tr { break-inside: avoid; }
  .scroll { overflow: visible; }
}
`
