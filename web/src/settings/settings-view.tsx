import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { Empty } from '../ui/empty.tsx'
import { Loading } from '../ui/loading.tsx'
import { useLoad } from '../ui/use-load.ts'

/** The person's own account, and how this browser shows the app. It is a part of its own, which is loaded when somebody opens it. */
export function SettingsView () {
  const { value, error, reload } = useLoad(async () => (await import('./settings-page.tsx')).SettingsPage)
  const Page = value.value
  if (Page) return <Page />
  if (!error) return <Loading />
  return <Empty icon='offline'><p>{t.errors.offline}</p><Button onClick={reload}>{t.common.retry}</Button></Empty>
}
