import type { Tensor } from '../tensor/tensor.js'

/** A program made ready to run, many times, by one of the engines. */
export interface Executable {
  /** The outputs for these inputs. @throws when their number, dtypes or shapes are not the program's. */
  run(inputs: readonly Tensor[]): Promise<Tensor[]>
  /** Frees what the engine holds; afterwards `run` throws. */
  dispose(): Promise<void>
}
