import { lossGaussNewton, lossHessian, type Problem } from 'evolute/curvature'
import { hutchinsonTrace, hutchPlusPlusTrace, toDense, xtrace } from 'evolute/linalg'
import * as np from 'evolute/numpy'

const seeds = 50

/** Root mean square errors of trace estimates at equal numbers of products, relative to the trace, over seeds. */
export async function traceRows(problem: Problem): Promise<string[]> {
  const rows: string[] = []
  const matrices = {
    Hessian: await lossHessian(problem, { precision: 'float64' }),
    'Gauss-Newton': await lossGaussNewton(problem, { precision: 'float64' }),
  }
  for (const [name, operator] of Object.entries(matrices)) {
    const exact = np.trace(await toDense(operator, { block: operator.plan.block })).item()
    for (const products of [12, 30, 60, 120]) {
      const block = operator.plan.block
      const ways = {
        hutchinson: (seed: number) => hutchinsonTrace(operator, { probes: products, seed, block }),
        hutchPlusPlus: (seed: number) => hutchPlusPlusTrace(operator, { probes: products / 3, seed, block }),
        xtrace: (seed: number) => xtrace(operator, { probes: products / 2, seed, block }),
      }
      const errors: number[] = []
      for (const estimate of Object.values(ways)) {
        let square = 0
        for (let seed = 0; seed < seeds; seed++) {
          const result = await estimate(seed)
          if (result.products !== products)
            throw new Error(`an estimate took ${result.products} products, expected ${products}`)
          square += (result.estimate / exact - 1) ** 2 / seeds
        }
        errors.push(Math.sqrt(square))
      }
      const [plain, ...others] = errors as [number, number, number]
      const cells = [plain, ...others].map((error) => `${(100 * error).toPrecision(2)} %`)
      rows.push(`| ${[name, products, ...cells, (plain / others[1]!).toFixed(1)].join(' | ')} |`)
    }
    await operator.dispose()
  }
  return rows
}
