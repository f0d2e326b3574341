/** `npm run paper -- ID [--full]` and `npm run papers`. */
import { runPapers } from './command.js'

const stop = new AbortController()
process.once('SIGINT', () => stop.abort(new Error('interrupted')))
process.exitCode = await runPapers(process.argv.slice(2), {
  signal: stop.signal,
  print: (text) => console.log(text),
  progress: process.stderr,
})
