import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const path = (relative: string) => fileURLToPath(new URL(`../../${relative}`, import.meta.url))
const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) =>
  existsSync(file),
)
const flags = [
  '--no-sandbox',
  // WebGPU by Chromium's device in software.
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

describe.skipIf(!executable)('the built package in headless Chromium', () => {
  let server: Server
  let browser: Browser

  beforeAll(async () => {
    if (!existsSync(path('dist/index.js'))) throw new Error('dist is missing; run npm run build first')
    const bundle = await build({
      entryPoints: [path('test/browser/page.ts')],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      conditions: ['browser', 'import'],
      write: false,
      logLevel: 'error',
    })
    const script = bundle.outputFiles[0]!.contents
    server = createServer((request, response) => {
      const url = request.url ?? '/'
      if (url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script)
      else if (/^\/ort\/[\w.-]+$/.test(url)) {
        const type = url.endsWith('.wasm') ? 'application/wasm' : 'text/javascript'
        response
          .setHeader('content-type', type)
          .end(readFileSync(path(`node_modules/onnxruntime-web/dist/${url.slice(5)}`)))
      } else
        response
          .setHeader('content-type', 'text/html')
          .end('<!doctype html><script type="module" src="/page.js"></script>')
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    browser = await chromium.launch({ executablePath: executable!, args: flags })
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    server?.close()
  })

  test('computes a gradient and a Hessian product of a network on both engines, and on a WebGPU device', async () => {
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await page.waitForFunction('globalThis.result !== undefined')
    const result = (await page.evaluate('globalThis.result')) as Record<
      'js' | 'onnx' | 'interpreter',
      unknown[]
    > & { webgpu: unknown }
    expect(errors).toEqual([])
    const flat = (value: unknown): number[] =>
      Array.isArray(value) ? value.flatMap(flat) : [value as number]
    const reference = flat(result.interpreter)
    expect(reference).toHaveLength(2 * 24)
    expect(Math.max(...reference.map(Math.abs))).toBeGreaterThan(0.01)
    for (const engine of ['js', 'onnx'] as const)
      expect(flat(result[engine])).toEqual(reference.map((value) => expect.closeTo(value, 5)))
    expect(flat(result.webgpu)).toEqual(reference.slice(0, 24).map((value) => expect.closeTo(value, 4)))
  }, 60_000)
})
