import { parley } from '../client.ts'
import { language, t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { attempt } from '../ui/error-text.ts'
import { Icon } from '../ui/icon.tsx'
import { toast } from '../ui/toast.tsx'
import { useLoad } from '../ui/use-load.ts'
import { deviceName } from './device-name.ts'
import { focusHeading, Loaded, Section } from './section.tsx'

/** Most logins that are listed. An account has no more, unless the server is configured so [P56]. */
const MOST = 100

type Login = Awaited<ReturnType<typeof list>>[number]

const list = async (signal: AbortSignal) => (await parley.rest('GET /api/me/logins', { query: { limit: MOST } }, { signal })).logins

/** The devices on which this account is logged in. */
export function LoginsSection () {
  const loaded = useLoad(list)

  async function end (act: () => Promise<unknown>, done: string, button: EventTarget | null): Promise<void> {
    if (!await attempt(act)) return
    focusHeading(button as Element)
    toast(done)
    loaded.reload()
  }

  return (
    <Section title={t.settings.devices} about={t.settings.devicesAbout}>
      <Loaded loaded={loaded}>
        {logins => (
          <>
            <ul class='rows'>
              {logins.map(login => (
                <Row
                  key={login.id} login={login}
                  onEnd={event => end(
                    () => parley.rest('DELETE /api/me/logins/:id', { params: { id: login.id } }), t.settings.loginEnded, event.currentTarget
                  )}
                />
              ))}
            </ul>
            {logins.length > 1 && (
              <p>
                <Button onClick={event => end(() => parley.rest('DELETE /api/me/logins'), t.settings.othersEnded, event.currentTarget)}>
                  {t.settings.endOthers}
                </Button>
              </p>
            )}
          </>
        )}
      </Loaded>
    </Section>
  )
}

function Row ({ login, onEnd }: { login: Login, onEnd (event: Event): void }) {
  const name = deviceName(login.device)
  const when = new Date(login.last_used_at).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' })
  return (
    <li>
      <Icon name='device' />
      <div>
        <p title={login.device ?? undefined}>{name}{' '}{login.current && <span class='tag'>{t.settings.thisDevice}</span>}</p>
        <p class='soft small'>{t.settings.lastUsed(when)}{login.address && <> · {login.address}</>}</p>
      </div>
      {!login.current && <Button kind='quiet' aria-label={t.settings.endLoginOf(name)} onClick={onEnd}>{t.settings.endLogin}</Button>}
    </li>
  )
}
