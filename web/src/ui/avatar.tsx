import { classes } from './button.tsx'

/** The initials of a person in a color that follows from their id. It has no name of its own, because the name stands beside it. */
export function Avatar ({ id, name, size }: { id: string, name: string, size?: 'small' | 'large' }) {
  return <span class={classes('avatar', size)} style={{ '--hue': hueOf(id) }} aria-hidden='true'>{initialsOf(name)}</span>
}

/** The last digits of an id are random; the first ones are a time. */
function hueOf (id: string): number {
  return Number.parseInt(id.slice(-4), 16) % 360 || 0
}

function initialsOf (name: string): string {
  const words = name.trim().split(/\s+/)
  const first = [...words[0] ?? ''][0] ?? '?'
  const last = words.length > 1 ? [...words.at(-1)!][0]! : ''
  return (first + last).toUpperCase()
}
