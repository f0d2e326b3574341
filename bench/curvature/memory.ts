import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describePlan, type Plan, showBytes } from 'evolute/curvature'

/** Forecast and measured peaks, each in a process of its own. */
export function memoryRows(): string[] {
  const cases = [
    ['hessian', 256, 4e9],
    ['hessian', 1024, 4e9],
    ['hessian', 8192, 4e9],
    ['hessian', 1024, 2e8],
    ['gaussNewton', 1024, 4e9],
  ] as const
  return cases.map((given) => {
    const child = fileURLToPath(new URL('memoryChild.ts', import.meta.url))
    const flags = ['--expose-gc', '--import', 'tsx', '--conditions=source']
    const text = execFileSync(process.execPath, [...flags, child, ...given.map(String)], { encoding: 'utf8' })
    const { forecast, measured, plan } = JSON.parse(text) as {
      forecast: number
      measured: number
      plan: Plan
    }
    const cells = [given[0], describePlan(plan), showBytes(forecast), showBytes(measured)]
    return `| ${[...cells, (measured / forecast).toFixed(2)].join(' | ')} |`
  })
}
