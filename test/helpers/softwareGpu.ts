import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Chromium brings a Vulkan device in software, on which WebGPU runs where there is no GPU. */
const chromium = '/usr/lib/chromium'
const device = `${chromium}/vk_swiftshader_icd.json`

export const hasSoftwareGpu = existsSync(device)

/** Runs a script of test/ in a process that sees the software device, and returns the JSON that it prints. */
export async function onSoftwareGpu(script: string): Promise<unknown> {
  const path = fileURLToPath(new URL(`../${script}`, import.meta.url))
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--conditions=source', path],
    {
      env: { ...process.env, VK_ICD_FILENAMES: device, LD_LIBRARY_PATH: chromium },
      maxBuffer: 2 ** 24,
      timeout: 170_000,
    },
  )
  return JSON.parse(stdout.trim().split('\n').at(-1)!)
}
