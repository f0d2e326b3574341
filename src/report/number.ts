/** Numbers as a reader wants them: few digits, real minus signs, errors that fix the number of digits shown. */

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** 10 to a whole power, written with superscripts: `10⁻³`. */
export function powerOfTen(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((digit) => superscripts[Number(digit)]).join('')
  return `10${exponent < 0 ? '⁻' : ''}${digits}`
}

/** A number with at most `digits` significant digits; very large and very small ones as `3.2 × 10⁻⁷`. */
export function formatNumber(value: number, digits = 4): string {
  if (Number.isNaN(value)) return 'unknown'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  if (value === 0) return '0'
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e') as [string, string]
  const power = Number(exponent)
  if (power < -4 || power > 6) return `${minus(trimZeros(mantissa))} × ${powerOfTen(power)}`
  return fixed(value, Math.max(0, digits - 1 - power))
}

/** A whole number with thousands separated: `269,322`. */
export function formatCount(value: number): string {
  return Number.isFinite(value) ? fixed(Math.round(value), 0) : formatNumber(value)
}

/** A share in [0, 1] as a percentage with one decimal. */
export function formatPercent(share: number): string {
  return Number.isFinite(share) ? `${fixed(100 * share, 1)}%` : 'unknown'
}

/** One digit before the point and a power of ten, so that a column of sizes far apart lines up: `5.0 × 10⁻⁴`. */
export function formatScientific(value: number, digits = 2): string {
  if (!Number.isFinite(value) || value === 0) return formatNumber(value)
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e') as [string, string]
  return `${minus(mantissa)} × ${powerOfTen(Number(exponent))}`
}

/** A number with the digits that its error leaves: down to the error's second, seven at most. */
export function formatToError(value: number, error: number): string {
  if (!(Number.isFinite(value) && Number.isFinite(error)) || value === 0) return formatNumber(value)
  const order = (x: number) => Math.floor(Math.log10(Math.abs(x)))
  return formatNumber(value, error === 0 ? 7 : Math.min(7, Math.max(1, order(value) - order(error) + 2)))
}

/** `value ± error`: the error to two significant digits, the value to the error's last place. */
export function formatWithError(value: number, error: number): string {
  if (!Number.isFinite(value)) return formatNumber(value)
  if (!Number.isFinite(error)) return `${formatNumber(value)} (error unknown)`
  const size = Math.max(Math.abs(value), Math.abs(error))
  // An error far below the digits a reader takes in is written beside the value, not imposed on it.
  if (error <= 1e-6 * size) return `${formatNumber(value, 6)} (± ${formatNumber(error, 2)})`
  const power = Math.floor(Math.log10(size))
  if (power < -4 || power > 6) {
    const scale = 10 ** power
    return `(${formatWithError(value / scale, error / scale)}) × ${powerOfTen(power)}`
  }
  const places = 1 - Math.floor(Math.log10(error))
  const coarse = 10 ** Math.max(0, -places)
  const round = (x: number) =>
    places < 0 ? fixed(Math.round(x / coarse) * coarse, 0) : fixed(x, places, false)
  return `${round(value)} ± ${round(error)}`
}

/** A time: `840 µs`, `1.2 ms`, `3.4 s`, `2 min 5 s`, `1 h 3 min`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown'
  if (seconds === 0) return '0 s'
  if (seconds < 1e-3) return `${formatNumber(seconds * 1e6, 3)} µs`
  if (seconds < 1) return `${formatNumber(seconds * 1e3, 3)} ms`
  if (seconds < 59.95) return `${formatNumber(seconds, 3)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${formatCount(Math.floor(whole / 3600))} h ${Math.floor((whole % 3600) / 60)} min`
}

function fixed(value: number, places: number, trim = true): string {
  const [whole, fraction] = value.toFixed(Math.min(places, 20)).split('.') as [string, string?]
  const separated = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  const text = fraction === undefined ? separated : `${separated}.${fraction}`
  return minus(trim ? trimZeros(text) : text)
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

function minus(text: string): string {
  return text.replace(/^-/, /[1-9]/.test(text) ? '−' : '')
}
