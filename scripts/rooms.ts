/**
 * Checks the architecture of src/: which room imports which, no import cycles, small files, and Node modules
 * only where they belong. Prints one sentence per violation and exits with 1 if there is any.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = resolve(process.argv[2] ?? fileURLToPath(new URL('../src', import.meta.url)))
const maxLines = 400

/** The rooms that each room may import besides itself, low to high; `type x` allows only `import type` from x. */
const core = ['tensor', 'program', 'ops', 'numpy', 'transforms']
const rooms: Record<string, readonly string[]> = {
  dense: [],
  tensor: [],
  program: ['tensor'],
  ops: ['dense', 'tensor', 'program'],
  numpy: ['tensor', 'program', 'ops'],
  transforms: ['tensor', 'program', 'ops', 'numpy', 'linalg'],
  onnx: core,
  engines: [...core, 'onnx'],
  linalg: ['dense', 'tensor'],
  curvature: ['dense', 'tensor', 'program', 'ops', 'numpy', 'transforms', 'onnx', 'engines', 'linalg'],
  optimize: ['dense', 'tensor', 'program', 'ops', 'numpy', 'transforms', 'engines', 'linalg'],
  io: ['tensor', 'type onnx'],
  report: ['tensor', 'type curvature'],
}
const everything = Object.keys(rooms)
rooms.cli = [...everything, 'index.ts']
rooms['index.ts'] = everything

const generated = /^onnx\/schema\/.*_pb\.ts$/
const usesNode = /^(io|cli)\/|^engines\/onnx\/runtime\.node\.ts$/
const importOrExport = /^(?:import|export)\s+(type\s+)?(?:[\w$*\s{},]+?\s+from\s+)?'([^']+)'/gm
const dynamicImport = /\b(import)\(\s*'([^']+)'\s*\)/g

/** `target`: the imported file of src, if it is one. `lazy`: imported after loading, so that it closes no cycle. */
type Import = { specifier: string; target: string | undefined; typeOnly: boolean; lazy: boolean }

const problems: string[] = []
const roomOf = (file: string) => file.split('/')[0] as string

function importsOf(file: string, text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  return [...code.matchAll(importOrExport), ...code.matchAll(dynamicImport)].map((match) => {
    const specifier = match[2] as string
    const path = specifier === '#onnxruntime' ? '/engines/onnx/runtime.node.js' : specifier
    const from = path.startsWith('/') ? source : join(source, dirname(file))
    const local = path.startsWith('.') || path.startsWith('/')
    const target = local ? relative(source, join(from, path)).replace(/\.js$/, '.ts') : undefined
    return { specifier, target, typeOnly: match[1]?.startsWith('type') ?? false, lazy: match[1] === 'import' }
  })
}

function checkImport(file: string, { specifier, target, typeOnly }: Import): void {
  if (specifier.startsWith('node:') && !usesNode.test(file))
    problems.push(`${file} imports ${specifier}, but only io, cli and the Node runtime may use Node modules.`)
  if (target === undefined) return
  const [from, to] = [roomOf(file), roomOf(target)]
  const allowed = rooms[from]
  if (allowed === undefined) problems.push(`${file} is in no known room; add ${from} to scripts/rooms.ts.`)
  else if (from !== to && !allowed.includes(to) && !(typeOnly && allowed.includes(`type ${to}`)))
    problems.push(
      `${file} imports ${specifier}, but ${from} may only import: ${allowed.join(', ') || 'itself'}.`,
    )
}

/** Depth-first search; a file met again while it is still being visited closes a cycle. */
function checkCycles(graph: Map<string, string[]>): void {
  const done = new Set<string>()
  const visit = (file: string, path: string[]): void => {
    const start = path.indexOf(file)
    if (start >= 0) problems.push(`Import cycle: ${[...path.slice(start), file].join(' -> ')}.`)
    if (start >= 0 || done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
)
const graph = new Map<string, string[]>()
for (const file of files.sort()) {
  const text = readFileSync(join(source, file), 'utf8')
  const lines = text.trimEnd().split('\n').length
  if (lines > maxLines && !generated.test(file))
    problems.push(`${file} has ${lines} lines; split it by idea, ${maxLines} is the most.`)
  const imports = importsOf(file, text)
  for (const one of imports) checkImport(file, one)
  const loaded = imports.flatMap(({ target, typeOnly, lazy }) => (typeOnly || lazy ? [] : (target ?? [])))
  graph.set(file, loaded)
}
checkCycles(graph)

for (const problem of problems) console.error(problem)
console.log(`${files.length} files, ${problems.length} violations`)
process.exitCode = problems.length > 0 ? 1 : 0
