import { t } from '../text.ts'

/** The console of administrators. It is a part of its own, which nobody else loads. */
export function Admin ({ section }: { section: string }) {
  return <main><h1>{t.admin.title}</h1><p>{section}</p></main>
}
