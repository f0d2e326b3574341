/**
 * Makes a function from generated text. The text holds only what the generators of this folder write.
 * @throws when the page's Content-Security-Policy forbids it.
 */
export function makeFunction(parameters: readonly string[], body: string): (...x: never[]) => unknown {
  try {
    return new Function(...parameters, body) as (...x: never[]) => unknown
  } catch (error) {
    if (error instanceof SyntaxError) throw error
    throw new Error(
      "compileProgramJs: the page's Content-Security-Policy forbids generated code; use the ONNX engine or " +
        "the interpreter, or allow 'unsafe-eval'",
      { cause: error },
    )
  }
}
