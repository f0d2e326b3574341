import { add } from '../../ops/arithmetic.js'
import { bind } from '../../program/builder.js'
import { type Environment, type Program, read } from '../../program/program.js'
import type { Value } from '../../program/value.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { Layer } from './find.js'
import { type LinearMap, linearMapOf } from './layer.js'

export interface Tapped {
  readonly outputs: Tensor
  /** The inputs of each layer, [samples, positions, inputs]. */
  readonly activations: readonly Tensor[]
}

/**
 * A model's program with a probe added to the result of each layer: derivatives in a probe at 0 are those in the layer's
 * outputs.
 */
export function tapped(
  program: Program,
  layers: readonly Layer[],
): (theta: Tensor, x: Tensor, probes: readonly Tensor[]) => Tapped {
  const samples = program.inputs[1]!.shape[0]!
  const maps = mapsOf(program, layers, samples)
  const layerAt = new Map(layers.map(({ equation }, i) => [equation, i]))
  return (theta, x, probes) => {
    const environment: Environment = new Map<never, Value>()
    environment.set(program.inputs[0]!, theta)
    environment.set(program.inputs[1]!, x)
    const activations: Tensor[] = []
    program.equations.forEach(({ primitive, inputs, params, outputs }, at) => {
      const values = inputs.map((input) => read(environment, input))
      const results = [...bind(primitive, values, params)]
      const i = layerAt.get(at)
      if (i !== undefined) {
        results[0] = add(results[0]!, probes[i]!)
        activations[i] = maps[i]!.inputs(values[1 - layers[i]!.side]!) as Tensor
      }
      outputs.forEach((output, j) => {
        environment.set(output, results[j]!)
      })
    })
    return { outputs: read(environment, program.outputs[0]!) as Tensor, activations }
  }
}

/** The layers' linear maps in this program. */
export function mapsOf(program: Program, layers: readonly Layer[], samples: number): LinearMap[] {
  return layers.map(({ equation, side, name }) => {
    const found = program.equations[equation]
    const map = found ? linearMapOf(found, side, samples) : 'it is missing'
    if (typeof map === 'string')
      throw new Error(
        `layers: ${name} is another operation for ${samples} samples (${map}); the model must do the same for any number`,
      )
    return map
  })
}

/** The shapes of the layers' results. */
export function probeTypes(program: Program, layers: readonly Layer[]) {
  return layers.map(({ equation }) => program.equations[equation]!.outputs[0]!)
}
