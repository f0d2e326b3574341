import { isFloat } from '../../tensor/dtype.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { NodeProto } from '../schema/onnx_pb.js'
import { usedNames } from './check.js'

/** Inputs of operations, by position, that are settings and not weights: stored statistics, bounds, scales, exponents. */
const settings: Readonly<Record<string, readonly number[]>> = {
  BatchNormalization: [3, 4],
  CastLike: [1],
  Clip: [1, 2],
  ConstantOfShape: [0],
  Dropout: [1, 2],
  OneHot: [0, 1, 2],
  Pad: [1, 2],
  Pow: [1],
  Range: [0, 1, 2],
  Resize: [1, 2, 3],
  Shape: [0],
  Size: [0],
  Upsample: [1],
}

/** The names that some operation uses other than as a setting, also under another name given by Identity. */
export function namesOfWeights(nodes: readonly NodeProto[]): ReadonlySet<string> {
  const weights = new Set<string>()
  for (const node of [...nodes].reverse()) {
    if (node.opType === 'Identity' && !weights.has(node.output[0] as string)) continue
    const isOwn = node.domain === '' || node.domain === 'ai.onnx'
    const skipped = isOwn && Object.hasOwn(settings, node.opType) ? (settings[node.opType] ?? []) : []
    usedNames(node).forEach((name, i) => {
      if (!skipped.includes(i)) weights.add(name)
    })
  }
  return weights
}

/**
 * Whether a float tensor of the file is to be trained: some operation uses it other than as a setting. Numbers
 * without an axis are constants too, which is how exporters store the epsilons and factors of a formula.
 */
export function isTrainable(name: string, tensor: Tensor, weights: ReadonlySet<string>): boolean {
  return isFloat(tensor.dtype) && tensor.shape.length > 0 && tensor.size > 0 && weights.has(name)
}
