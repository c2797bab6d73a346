import { effect, signal } from '@preact/signals'
import { load, save } from './keep.ts'

export type Theme = 'system' | 'light' | 'dark'

/** The theme that this browser shows, kept between visits. `system` follows the preference of the device. */
export const theme = signal<Theme>(load('theme', value => value === 'light' || value === 'dark' ? value : 'system'))

effect(() => {
  const { dataset } = document.documentElement
  if (theme.value === 'system') delete dataset.theme
  else dataset.theme = theme.value
  save('theme', theme.value)
})
