import { quote } from '../error.js'
import type { NodeProto } from '../schema/onnx_pb.js'
import type { Operation, Operations } from './operation.js'
import { attentionOperations } from './ops/attention.js'
import { constantOperations } from './ops/constant.js'
import { microsoftOperations, retiredOperations } from './ops/contrib.js'
import { controlOperations } from './ops/control.js'
import { convolutionOperations } from './ops/convolution.js'
import { elementwiseOperations } from './ops/elementwise.js'
import { indexingOperations } from './ops/indexing.js'
import { lossOperations } from './ops/loss.js'
import { matrixOperations } from './ops/matrix.js'
import { normalizationOperations } from './ops/normalization.js'
import { poolingOperations } from './ops/pooling.js'
import { recurrentOperations } from './ops/recurrent.js'
import { reduceOperations } from './ops/reduce.js'
import { resizeOperations } from './ops/resize.js'
import { samplingOperations } from './ops/sampling.js'
import { shapeOperations } from './ops/shape.js'
import { spectralOperations } from './ops/spectral.js'
import { domainName } from './runtime.js'

/** Every ONNX operator that can be imported, by domain; the empty one is ONNX's own. */
export const operators: Readonly<Record<string, Operations>> = {
  '': {
    ...attentionOperations,
    ...constantOperations,
    ...controlOperations,
    ...convolutionOperations,
    ...elementwiseOperations,
    ...indexingOperations,
    ...lossOperations,
    ...matrixOperations,
    ...normalizationOperations,
    ...poolingOperations,
    ...recurrentOperations,
    ...reduceOperations,
    ...resizeOperations,
    ...retiredOperations,
    ...samplingOperations,
    ...shapeOperations,
    ...spectralOperations,
  },
  'com.microsoft': microsoftOperations,
}

/** The versions of ONNX's own operator set that are accepted; 7 to 24 are tested, older ones mostly mean the same. */
export const opsetRange = [1, 24] as const

/** The row of a node's operator. @throws Error naming the operator, its domain and the nearest known name. */
export function findOperation(
  { opType, domain }: Pick<NodeProto, 'opType' | 'domain'>,
  opsets: ReadonlyMap<string, number>,
): Operation {
  const set = domainName(domain)
  const rows = operators[set]
  const row = rows && Object.hasOwn(rows, opType) ? rows[opType] : undefined
  const version = opsets.get('')
  if (set === '' && version !== undefined && !(version >= opsetRange[0] && version <= opsetRange[1]))
    throw new Error(
      `the model uses version ${version} of the ONNX operator set, expected ${opsetRange[0]} to ${opsetRange[1]}; convert it with onnx.version_converter`,
    )
  if (row) return row
  const known = Object.keys(rows ?? {})
  const nearest =
    known.length > 0 ? `; the nearest of the ${known.length} supported is ${nearestTo(opType, known)}` : ''
  const domains = Object.keys(operators).map((d) => quote(d || 'ai.onnx'))
  throw new Error(
    `no operation ${quote(opType)} of domain ${quote(set || 'ai.onnx')}` +
      (rows ? nearest : `; supported are the domains ${domains.join(' and ')}`),
  )
}

function nearestTo(name: string, known: readonly string[]): string {
  const distances = known.map((other) => editDistance(name.slice(0, 50).toLowerCase(), other.toLowerCase()))
  return known[distances.indexOf(Math.min(...distances))] as string
}

/** Levenshtein's distance: insertions, deletions and replacements that make `a` into `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next[j] = Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1)
    }
    row = next
  }
  return row[b.length] as number
}
