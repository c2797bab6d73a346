import type { Invitation } from '@parley/client'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { IconButton, Link } from '../ui/button.tsx'
import { attempt } from '../ui/error-text.ts'
import { Icon } from '../ui/icon.tsx'
import { enter } from './entering.ts'

/** The invitations that wait for an answer. */
export function Invitations ({ invitations }: { invitations: readonly Invitation[] }) {
  return (
    <section>
      <h2>{t.shell.invitations}</h2>
      <ul>
        {invitations.map(({ channel, channel_id: id, channel_type: type, username }) => (
          <li key={id} class='invitation'>
            <Icon name={type === 'private' ? 'lock' : 'hash'} />
            <Link class='what' to={{ view: 'channel', name: channel }}>
              <span class='cut' dir='auto'>{channel}</span>
              {username && <span class='cut small soft' dir='auto'>{t.shell.invitedBy(username)}</span>}
            </Link>
            <IconButton icon='check' label={t.shell.accept(channel)} onClick={() => enter(channel)} />
            <IconButton icon='close' label={t.shell.decline(channel)} onClick={() => decline(channel)} />
          </li>
        ))}
      </ul>
    </section>
  )
}

export async function decline (channel: string): Promise<void> {
  if (await attempt(() => parley.request('decline_invitation', { channel }))) document.querySelector<HTMLElement>('.sidebar .jump')?.focus()
}
