import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.ts'
import type { Random } from './random.ts'

/** A message of a scene, before anybody speaks it. */
export interface Line {
  /** The letter of the speaker: A is the person who begins. */
  speaker: string
  /** Text with alternatives `<one|other>` and words `{word}`. */
  text: string
  /** The message that this one replies to: the scene's first message, the message before it, or an old message of the channel. */
  replies: 'first' | 'before' | 'old' | undefined
  /** Reactions that fit the message. */
  reactions: string[]
  /** Whether the scene is as good without it. */
  isOptional: boolean
}

/** A conversation, as somebody wrote it down. */
export interface Scene {
  lines: Line[]
  /** The words that its texts may use, each with the values of which one is chosen for the whole scene. */
  words: Map<string, string[]>
  /** The language of its people; undefined for English, which everybody writes. */
  language: string | undefined
  /** Its first speaker is new here. */
  isIntroduction: boolean
}

const languages = ['german', 'french', 'spanish', 'arabic', 'hebrew', 'japanese']
const LINE = /^(\?)?([A-F])([:>^<]) (.*)$/
const REPLIES = { '>': 'first', '^': 'before', '<': 'old', ':': undefined } as const

/**
 * Reads a file of `scripts/demo/talk`. It begins with words, `name = value | value`. Scenes follow, separated by `--`. A line of a scene
 * is `A: text` (says), `B> text` (replies to the first message), `B^ text` (replies to the message before) or `A< text` (replies to an
 * old message of the channel). With a `?` before it, a line is sometimes left out. Lines that are indented by two blanks continue the
 * message. A line `+ 👍 🎉` has reactions to the message above.
 */
export function readScenes (name: string): Scene[] {
  const [head = '', ...parts] = readFileSync(join(root, 'scripts/demo/talk', `${name}.txt`), 'utf8').trimEnd().split(/^--\n/m)
  const words = new Map(head.split('\n').filter(line => line !== '').map(line => {
    const [word, values] = line.split(/ = /) as [string, string]
    return [word, values.split(' | ')]
  }))
  return parts.map(part => ({
    lines: readLines(part, name), words, language: languages.find(language => language === name), isIntroduction: name === 'introductions'
  }))
}

function readLines (part: string, name: string): Line[] {
  const lines: Line[] = []
  for (const row of part.trimEnd().split('\n')) {
    const last = lines.at(-1)
    const [, optional, speaker, sign, text] = LINE.exec(row) ?? []
    if (speaker !== undefined) {
      const replies = REPLIES[sign as keyof typeof REPLIES]
      lines.push({ speaker, text: text!, replies, reactions: [], isOptional: optional !== undefined })
    } else if (last && row.startsWith('+ ')) {
      last.reactions = row.slice(2).split(' ')
    } else if (last && (row.startsWith('  ') || row === '')) {
      last.text += `\n${row.slice(2)}`
    } else {
      throw new Error(`${name}.txt: this is no line of a scene: ${row}`)
    }
  }
  return lines
}

/** Chooses which lines are spoken. Optional lines that follow each other belong together: if one is left out, so are those after it. */
export function chooseLines ({ lines }: Scene, random: Random): Line[] {
  let isLeftOut = false
  return lines.filter(({ isOptional }) => {
    isLeftOut = isOptional && (isLeftOut || random.chance(0.5))
    return !isLeftOut
  })
}

/** The letters of all who speak in a scene or are spoken of. */
export function speakersOf ({ lines }: Scene): string[] {
  return [...new Set(lines.flatMap(({ speaker, text }) => [speaker, ...text.match(/(?<=\{)[A-F](?=\})/g) ?? []]))]
}

/**
 * Writes the texts of a scene: chooses one of each alternative and one value of each word, the same for the whole scene. `{Word}` is the
 * value with a capital, `{word2}` another value of the same list, and `{A}` how speaker A is addressed.
 * @param names how the speakers are addressed, by their letters.
 */
export function speak (lines: Line[], words: Scene['words'], names: ReadonlyMap<string, string>, random: Random): string[] {
  const chosen = new Map<string, string>()

  function valueOf (word: string): string {
    const known = chosen.get(word)
    if (known !== undefined) return known
    const values = words.get(word.replace(/\d$/, ''))
    if (!values) throw new Error(`a scene uses {${word}}, which its file does not define`)
    const free = values.filter(value => ![...chosen.values()].includes(value))
    const value = random.pick(free.length > 0 ? free : values)
    chosen.set(word, value)
    return value
  }

  return lines.map(({ text }) => text
    .replaceAll(/<([^<>\n]*\|[^<>\n]*)>/g, (_, alternatives: string) => random.pick(alternatives.split('|')))
    .replaceAll(/\{([A-F]|[A-Z]?[a-z]+\d?)\}/g, (_, word: string) => {
      if (/^[A-F]$/.test(word)) return names.get(word) ?? 'everybody'
      const value = valueOf(word.toLowerCase())
      return /^[A-Z]/.test(word) ? value.charAt(0).toUpperCase() + value.slice(1) : value
    }))
}
