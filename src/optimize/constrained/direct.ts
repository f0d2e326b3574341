import { denseKkt, type KktSolver } from './kkt.js'
import { nullSpaceStep } from './nullSpace.js'

/** Solves exactly, by the null space of the constraints' gradients. */
export const direct: KktSolver = {
  name: 'direct',
  async prepare({ model, residual, sizes }) {
    const dense = await denseKkt(model)
    const right = { gradient: model.gradient, residual, sizes }
    const step = nullSpaceStep(dense, dense.space, dense.shift, right)
    return { sufficient: () => Infinity, solve: () => ({ ...step, work: 0 }) }
  },
}
