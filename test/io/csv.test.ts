import { describe, expect, test } from 'vitest'
import { readCsv } from '../../src/io/csv.js'
import { DataError } from '../../src/io/error.js'

describe('readCsv', () => {
  test.each([
    ['commas', '1,2\n3,4\n'],
    ['semicolons and no last line break', '1;2\n3;4'],
    ['tabs and Windows line breaks', '1\t2\r\n3\t4\r\n'],
    ['runs of blanks at both ends', '  1   2 \n 3 4  \n'],
    ['blanks around commas', ' 1 , 2\n3 ,4 '],
    ['quotes', '"1","2"\n"3","4"'],
    ['comments, blank lines and a byte-order mark', '\uFEFF# made by hand\n\n1,2\n\n# half\n3,4\n\n'],
    ['old Macintosh line breaks', '1,2\r3,4\r'],
  ])('reads %s', (_, text) => {
    const { columns, values } = readCsv(text)
    expect(columns).toBeUndefined()
    expect(values.toString()).toBe('float64[2,2]')
    expect(values.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  test('takes a first row with a cell that is not a number for names', () => {
    expect(readCsv('x,"y, in mm"\n1,2').columns).toEqual(['x', 'y, in mm'])
    expect(readCsv('Weight Waist\n191 36').columns).toEqual(['Weight', 'Waist'])
    expect(readCsv('150,setosa\n1,2').columns).toEqual(['150', 'setosa'])
  })

  test('does as told about the header row and the delimiter', () => {
    expect(readCsv('1,2\n3,4', { header: true })).toMatchObject({
      columns: ['1', '2'],
      values: { shape: [1, 2] },
    })
    expect(() => readCsv('a,b\n3,4', { header: false })).toThrow(
      'line 1, column 1: expected a number, got "a"',
    )
    expect(() => readCsv('1,2\n3,4', { delimiter: ';' })).toThrow('got "3,4"')
  })

  test('reads signs, exponents and values that are not finite', () => {
    const { values } = readCsv('-1e-3,+.5,2.,NaN,-inf,Infinity,NA')
    expect(values.toArray()).toEqual([[-0.001, 0.5, 2, NaN, -Infinity, Infinity, NaN]])
  })

  test('reads every double back from its shortest decimal', () => {
    const numbers = [0.1, 1 / 3, Number.MIN_VALUE, Number.MAX_VALUE, -5e-324, 2 ** 53 - 1, 1e21]
    expect(readCsv(numbers.join('\n')).values.toArray()).toEqual(numbers.map((x) => [x]))
  })

  test.each([
    ['1,2\n3,x\n', 'line 2, column 2: expected a number, got "x"'],
    ['a,b\n1,2\n\n3,\n', 'line 4, column 2 ("b"): expected a number, got an empty cell'],
    ['1,2\n3\n', 'line 2: 1 columns, but the first row has 2'],
    ['"two\nlines",b\n1,0x10', 'line 3, column 2 ("b"): expected a number, got "0x10"'],
    ['1 2\n# note\n3 true', 'line 3, column 2: expected a number, got "true"'],
    ['1,2\n,4', 'line 2, column 1: expected a number, got an empty cell'],
    [',2\n3,4', 'line 1, column 1: expected a number, got an empty cell'],
    [`1\n${'y'.repeat(99)}`, `line 2, column 1: expected a number, got "${'y'.repeat(40)}…"`],
    ['', 'the table is empty'],
    ['\n \n# only a comment\n', 'the table is empty'],
    ['a,b\n', 'no row of numbers'],
  ])('refuses %j, saying where', (text, reason) => {
    expect(() => readCsv(text)).toThrow(reason)
    expect(() => readCsv(text)).toThrow(DataError)
  })
})
