import { labelOf } from '../people/names.ts'

/** The name of a person of whom only the id is known. With `onChoose` it is a button. */
export function Name ({ id, label, onChoose }: { id: string, label?: (name: string) => string, onChoose?: (id: string) => void }) {
  const shown = labelOf(id)
  if (!onChoose) return <b dir='auto' title={id}>{shown}</b>
  return <button type='button' class='person-name' title={label?.(shown) ?? id} onClick={() => onChoose(id)}><bdi>{shown}</bdi></button>
}
