import type { ComponentChildren } from 'preact'

/** A text with gaps such as `{actor}`, into which `parts` are put. */
export function Sentence ({ text, parts }: { text: string, parts: Record<string, ComponentChildren> }) {
  return <>{text.split(/(\{\w+\})/).map(piece => piece.startsWith('{') ? parts[piece.slice(1, -1)] : piece)}</>
}
