import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Paper } from './paper.js'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** The ids of all papers: the files of this folder that are named like one, D2 before D10. */
export function paperIds(): string[] {
  return readdirSync(folder)
    .flatMap((name) => /^([A-Z]\d+)\.ts$/.exec(name)?.[1] ?? [])
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

export async function loadPaper(id: string): Promise<Paper> {
  const { paper } = (await import(new URL(`${id}.ts`, import.meta.url).href)) as { paper: Paper }
  return paper
}
