import { t } from '../text.ts'

export function Loading () {
  return <div class='empty'><span class='spinner' role='img' aria-label={t.common.loading} /></div>
}
