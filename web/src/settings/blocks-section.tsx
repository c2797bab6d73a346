import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { attempt } from '../ui/error-text.ts'
import { toast } from '../ui/toast.tsx'
import { useLoad } from '../ui/use-load.ts'
import { focusHeading, Loaded, Section } from './section.tsx'

const PAGE = 100

/** The people whom this person has blocked. */
export function BlocksSection () {
  const loaded = useLoad(async signal => {
    const blocks = []
    let cursor: string | null | undefined
    do {
      const page = await parley.rest('GET /api/me/blocks', { query: { limit: PAGE, ...cursor && { cursor } } }, { signal })
      blocks.push(...page.blocks)
      cursor = page.next_cursor
    } while (cursor)
    return blocks
  })

  async function unblock (userId: string, name: string, button: EventTarget | null): Promise<void> {
    if (!await attempt(() => parley.request('unblock_user', { user_id: userId }))) return
    focusHeading(button as Element)
    toast(t.settings.unblocked(name))
    loaded.reload()
  }

  return (
    <Section title={t.settings.blocked} about={t.settings.blockedAbout}>
      <Loaded loaded={loaded}>
        {blocks => blocks.length === 0
          ? <p class='soft'>{t.settings.nobodyBlocked}</p>
          : (
            <ul class='rows'>
              {blocks.map(({ user_id: id, username, handle }) => (
                <li key={id}>
                  <Avatar id={id} name={username} />
                  <div>
                    <p class='cut' dir='auto'>{username}</p>
                    {handle && <p class='soft small cut'>@{handle}</p>}
                  </div>
                  <Button
                    kind='quiet' aria-label={t.settings.unblockName(username)}
                    onClick={event => unblock(id, username, event.currentTarget)}
                  >
                    {t.settings.unblock}
                  </Button>
                </li>
              ))}
            </ul>
            )}
      </Loaded>
    </Section>
  )
}
