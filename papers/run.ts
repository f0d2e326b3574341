/** `npm run paper -- ID [--full]` and `npm run papers`. */
import { runPapers } from './command.js'

const stop = new AbortController()
let since = 0
process.on('SIGINT', () => {
  // A launcher may hand on the same Ctrl-C twice; a second one later ends the process at once.
  if (stop.signal.aborted && performance.now() - since > 500) process.exit(130)
  if (stop.signal.aborted) return
  since = performance.now()
  stop.abort(new Error('interrupted'))
})
process.exitCode = await runPapers(process.argv.slice(2), {
  signal: stop.signal,
  print: (text) => console.log(text),
  progress: process.stderr,
})
