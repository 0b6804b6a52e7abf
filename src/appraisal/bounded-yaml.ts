import { Composer, Lexer, Parser, type CST, type Document, type LineCounter } from 'yaml'

/** More than any document of operators has, however it is written. */
export const MOST_LEVELS = 32

/** What was read, or that something is nested deeper than {@link MOST_LEVELS}. */
export type BoundedYaml = { readonly document: Document; readonly second: number | undefined } | 'too-deep'

/**
 * A YAML 1.2 document, read only as far as nothing is nested too deeply: what composes the values calls itself for each level, and each
 * text that opens a hundred thousand of them costs seconds. `second`: where another document begins, which belongs to no policy.
 */
export function boundedYaml(text: string, lineCounter: LineCounter): BoundedYaml {
  // The reader's own search for duplicates compares every key with every other one of its mapping.
  const composer = new Composer({ version: '1.2', schema: 'core', uniqueKeys: false, strict: true, lineCounter })
  const depth = { exceeded: false }
  const [document, next] = composer.compose(tokens(text, lineCounter, depth), true, text.length)
  if (depth.exceeded || document === undefined) return 'too-deep'
  return { document, second: next?.range[0] }
}

function* tokens(text: string, { addNewLine }: LineCounter, depth: { exceeded: boolean }): Generator<CST.Token> {
  const parser = new Parser(addNewLine)
  addNewLine(0)
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme)
    if (parser.stack.length > MOST_LEVELS && parser.stack.filter(isCollection).length > MOST_LEVELS) {
      depth.exceeded = true
      return
    }
  }
  yield* parser.end()
}

const isCollection = ({ type }: CST.Token): boolean => type === 'block-map' || type === 'block-seq' || type === 'flow-collection'
