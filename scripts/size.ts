/** Fails when the smallest useful browser bundle, a gradient on the JavaScript engine, grows past its budget. */
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const budget = 40_000
const entry = `export { grad } from 'evolute/transforms'\nexport { compileJs } from 'evolute/engines/js'\n`

const result = await build({
  stdin: { contents: entry, resolveDir: fileURLToPath(new URL('..', import.meta.url)) },
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  conditions: ['source'],
})
const [file] = result.outputFiles
const [output] = Object.values(result.metafile.outputs)
if (!file || !output) throw new Error('size: esbuild wrote no output')

const bytes = gzipSync(file.contents, { level: 9 }).length
console.log(`grad + compileJs: ${bytes} bytes gzipped (budget ${budget}), ${file.contents.length} minified`)
if (bytes > budget) {
  const largest = Object.entries(output.inputs).sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)
  for (const [path, { bytesInOutput }] of largest.slice(0, 10)) console.error(`${bytesInOutput}\t${path}`)
  console.error(
    `The bundle is ${bytes - budget} bytes over its budget; above are its largest inputs, minified.`,
  )
  process.exitCode = 1
}
