import { defineConfig } from 'vitest/config'
import { SummaryReporter } from './test/support/summary.js'

export default defineConfig({
  // Tests run the TypeScript sources: the "source" condition of package.json's exports and imports.
  ssr: { resolve: { conditions: ['source', 'node'] } },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', new SummaryReporter()],
  },
})
