import { DOMParser } from 'linkedom'
import { describe, expect, test } from 'vitest'
import { type CurvatureReport, toJson } from '../../src/curvature/analysis/report.js'
import { curvatureReport } from '../../src/report/curvature.js'
import { densityFigure } from '../../src/report/density.js'
import { findings, outliers } from '../../src/report/findings.js'
import { escapeHtml, htmlPage } from '../../src/report/html.js'
import { curvatureText } from '../../src/report/terminal.js'
import { sampleReport } from './sample.js'
import { assertWellFormed } from './wellFormed.js'

const hostile = '<script>alert("x")</script>&\'\u001b[31m\u0000\u202e.onnx'

function svgOf(report: CurvatureReport): string {
  return densityFigure(report)?.svg() ?? ''
}

describe('the density plot', () => {
  test('is a well-formed standalone SVG that loads nothing', () => {
    const svg = svgOf(sampleReport())
    assertWellFormed(svg)
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(
      /https?:|<script|url\(|@import|NaN|Infinity/,
    )
    const document = new DOMParser().parseFromString(svg, 'image/svg+xml')
    expect(document.querySelectorAll('circle').length).toBe(sampleReport().eigenvalues.length)
  })

  test('is the same for the same report', () => {
    expect(svgOf(sampleReport())).toBe(svgOf(sampleReport()))
  })
})

describe('the HTML page', () => {
  test('escapes every text it is given', () => {
    const report = sampleReport()
    report.model = { name: hostile, inputs: hostile, opset: 17 }
    report.lossName = hostile
    report.notes = [hostile]
    const html = curvatureReport(report)
    expect(html).not.toContain('<script')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(html).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
    expect(html).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;')
    expect(escapeHtml('a\ud800b')).toBe('a\ufffdb')
  })

  test('is one file: no scripts, nothing to load, light and dark', () => {
    const html = curvatureReport(sampleReport())
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(
      /https?:|src=|href=|<script|<link|url\(/,
    )
    expect(html).toContain('prefers-color-scheme: dark')
  })

  test('renders every kind of block', () => {
    const html = htmlPage({
      title: 'A & B',
      sections: [
        { blocks: [{ kind: 'highlights', items: [{ label: 'a', value: '1' }] }] },
        {
          title: 'T',
          blocks: [
            { kind: 'table', columns: [{ label: 'n', align: 'right' }], rows: [['1']], caption: 'c' },
            { kind: 'list', items: ['<i>'] },
          ],
        },
      ],
    })
    expect(html).toContain('<title>A &amp; B</title>')
    expect(html).toContain('<th scope="col" class="right">n</th>')
    expect(html).toContain('<td class="right">1</td>')
    expect(html).toContain('<li>&lt;i&gt;</li>')
  })
})

describe('the JSON', () => {
  test('begins with the promised keys, and holds all that the page shows', () => {
    const json = toJson(sampleReport())
    expect(Object.keys(json).slice(0, 8)).toEqual(
      ['parameters', 'loss', 'accuracy', 'eigenvalues', 'trace', 'density', 'cost', 'seed'], // in this order
    )
    expect(Object.keys(json.eigenvalues[0] ?? {})).toEqual(['value', 'residual'])
    expect(Object.keys(json.trace)).toEqual(['estimate', 'standardError'])
    expect(Object.keys(json.density)).toEqual(['grid', 'values'])
    expect(Object.keys(json.cost)).toEqual(['gradientSeconds', 'productSeconds', 'products'])
    expect(JSON.parse(JSON.stringify(json))).toEqual(json)
    expect(json).toEqual(sampleReport())
  })
})

describe('the findings', () => {
  test('count outliers only where a gap is wide beside those after it', () => {
    const at = (...values: number[]) => ({
      ...sampleReport(),
      eigenvalues: values.map((value) => ({ value, residual: 0 })),
    })
    expect(outliers(sampleReport())?.count).toBe(9)
    expect(outliers(at(10, 9, 8, 7, 6, 5))).toBeNull()
    expect(outliers(at(16, 8, 4, 2, 1, 0.5))).toBeNull()
    expect(outliers(at(10, 1))).toBeNull()
    expect(outliers(at(100, 3, 2, 1))?.count).toBe(1)
  })

  test('name negative curvature only beyond its residual', () => {
    const report = {
      ...sampleReport(),
      eigenvalues: [
        { value: 2, residual: 0.1 },
        { value: -1, residual: 0.1 },
      ],
    }
    expect(findings(report).join(' ')).toContain('One computed eigenvalue is negative, −1.00 ± 0.10')
    const unsure = {
      ...report,
      eigenvalues: [
        { value: 2, residual: 0.1 },
        { value: -1, residual: 1.5 },
      ],
    }
    expect(findings(unsure).join(' ')).not.toContain('is negative')
  })
})

describe('degenerate reports', () => {
  const base = sampleReport()
  const nan = Number.NaN
  const cases: Record<string, CurvatureReport> = {
    'no eigenvalues': { ...base, eigenvalues: [] },
    'no density': { ...base, density: { grid: [], values: [] } },
    'one point of density': { ...base, density: { grid: [0], values: [1] } },
    'zero density': { ...base, density: { grid: [-1, 0, 1], values: [0, 0, 0] } },
    'constant density': { ...base, density: { grid: [-1, 0, 1], values: [0.5, 0.5, 0.5] }, eigenvalues: [] },
    'a density with holes': {
      ...base,
      density: { grid: [-1, 0, 1, 2], values: [0, nan, 1, Number.POSITIVE_INFINITY] },
    },
    'a grid of no width': { ...base, density: { grid: [1, 1], values: [1, 1] }, eigenvalues: [] },
    'eigenvalues off the grid': { ...base, density: { grid: [-1, 0, 1], values: [0, 1, 0] } },
    'a zero Hessian': {
      ...base,
      eigenvalues: [{ value: 0, residual: 0 }],
      trace: { estimate: 0, standardError: 0 },
    },
    'negative curvature only': { ...base, eigenvalues: [{ value: -3, residual: 0 }] },
    'huge and tiny values': {
      ...base,
      eigenvalues: [
        { value: 1e30, residual: 1e20 },
        { value: 1e-30, residual: 0 },
      ],
    },
    'nothing known': {
      ...base,
      parameters: 0,
      loss: nan,
      accuracy: null,
      eigenvalues: [{ value: nan, residual: nan }],
      trace: { estimate: nan, standardError: nan },
      cost: { gradientSeconds: nan, productSeconds: nan, products: 0 },
      converged: false,
      notes: [],
    },
    'one probe': { ...base, trace: { estimate: 3, standardError: nan } },
  }
  test.each(Object.entries(cases))(
    '%s: both texts are made, without NaN or Infinity in them',
    (_, report) => {
      for (const text of [curvatureReport(report), curvatureText(report)]) {
        expect(text).not.toMatch(/NaN|Infinity|undefined|null/)
      }
      const svg = svgOf(report)
      if (svg !== '') assertWellFormed(svg)
    },
  )
})

describe('the terminal text', () => {
  test('keeps to the width, whatever the names', () => {
    const report = sampleReport()
    report.model = { name: `${'long'.repeat(50)} ${hostile}`, inputs: 'x'.repeat(200) }
    report.notes = ['y'.repeat(300)]
    for (const width of [80, 50]) {
      const lines = curvatureText(report, width).split('\n')
      expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(width)
      expect(lines.join('')).not.toContain('\u001b')
    }
  })

  test('reads like this', () => {
    const report = { ...sampleReport(), eigenvalues: sampleReport().eigenvalues.slice(0, 3) }
    expect(curvatureText(report)).toMatchInlineSnapshot(`
      "Curvature of digits.onnx
      Hessian of the cross-entropy loss over 1,000 samples

      Sharpness λ₁         41.24   ± 3.1 × 10⁻⁶
      Largest step 2/λ₁   0.0485   for gradient descent
      Trace                316.4   ± 6.3
      Hessian product       1.06   gradients

      This is the curvature of the cross-entropy loss of digits.onnx in its 25,450
      parameters, averaged over 1,000 samples. The loss there is 0.08732, and the
      model classifies 97.4% of them correctly.

      The sharpness, the largest eigenvalue of the Hessian, is 41.2374 (± 3.1 × 10⁻⁶).
      Gradient descent on the local quadratic model is stable for steps up to 2/λ₁ =
      0.0484997 (± 3.6 × 10⁻⁹); with a longer step it overshoots along the sharpest
      direction, further each time.

      The density reaches below zero: some directions may curve downwards, though the
      smoothing alone can carry it there.

      The trace, the sum of all eigenvalues, is 316.4 ± 6.3 (95% interval 304.1 to
      328.8), which is 0.0124 per parameter; the 3 largest hold about 30.1% of it.

      A Hessian product took 4.37 ms, as long as 1.06 gradients of 4.12 ms; the
      analysis used 1,380 of them.

      Spectral density
      ────────────────
        10⁰ │  ▂█▇
            │  ███▅
            │  ████▆
            │ ▅█████▇▁
            │ ████████▆▂
            │▁██████████     ▇█▅█▅ ▇█▂██   ██ ▃█▇     ▇█▁      ▇█▄               ▆█▅
       10⁻⁶ │███████████▇   ▂█████▂█████▅ ███▄███▁   ▃███      ███               ███
            └──────────────────────────────────────────▲────────▲─────────────────▲───
             −2.4                                                                 43.5

      Spectral density by stochastic Lanczos quadrature, its height on a logarithmic
      axis; the area under it is one, and every eigenvalue is broadened by the
      smoothing. Marks show the computed eigenvalues, numbered by rank where there is
      room.

      Eigenvalues
      ───────────
      rank   eigenvalue λ     residual   relative to largest
         1        41.2374   3.1 × 10⁻⁶                 1.000
         2        29.8710   5.9 × 10⁻⁶                 0.724
         3        24.1130   1.1 × 10⁻⁵                 0.585

      The residual is ‖Hv − λv‖ for the unit vector v found: an eigenvalue lies no
      further than that from λ.

      Trace
      ─────
      estimate                     316.4
      standard error                 6.3
      95% interval        304.1 to 328.8
      per parameter    0.01243 ± 0.00025
      method                  Hutchinson

      Cost
      ────
      one gradient            4.12 ms
      one product             4.37 ms
      the same in gradients      1.06
      products used             1,380
      time in products         6.03 s

      Model, data and settings
      ────────────────────────
      model                            digits.onnx
      inputs            image: float32[batch, 784]
      ONNX opset                                17
      parameters                            25,450
      loss         0.0873194 (cross-entropy, mean)
      accuracy             97.4% ± 0.5% (binomial)
      samples                                1,000
      batch                                    250
      seed                                       1

      Notes
      ─────
      - Relu is differentiated with slope 0 at 0.
      - Parameters and products are float32; Lanczos ran in float64.
      "
    `)
  })
})
