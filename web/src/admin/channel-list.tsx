import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { go } from '../route.ts'
import { createChannelDirectory, type ListedChannel } from '../shell/channel-directory.ts'
import { openDeleteChannel } from '../shell/delete-channel-dialog.tsx'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Icon } from '../ui/icon.tsx'
import { Loading } from '../ui/loading.tsx'
import { MenuButton } from '../ui/menu.tsx'
import { openChannelForm } from './channel-form.tsx'
import { openMembers } from './members-dialog.tsx'
import { focusTitle } from './focus.ts'
import { count } from './format.ts'
import { a } from './text.ts'

/** All channels except direct ones, by name. A search reads all of them first, because the server does not search in them. */
export function ChannelList () {
  const runs = useSignal(0)
  const wanted = useSignal('')
  const directory = useMemo(createChannelDirectory, [runs.value])
  const { channels, state, error } = directory
  const text = wanted.value.trim().replace(/^#/, '').toLowerCase()
  useEffect(() => { directory.read(text !== '') }, [directory, text !== ''])
  const found = channels.value.filter(({ name, topic }) => name.includes(text) || topic.toLowerCase().includes(text))
  const reload = (): void => { runs.value++ }
  return (
    <>
      <div class='admin-filters'>
        <Field
          label={a.channels.search} type='search' value={wanted.value} autocomplete='off' spellcheck={false}
          onInput={event => { wanted.value = event.currentTarget.value }}
        />
      </div>
      <ul class='admin-rows'>{found.map(channel => <Row key={channel.id} channel={channel} onChanged={reload} />)}</ul>
      {state.value === 'loading' && <Loading />}
      {state.value === 'failed' && (
        <p class='form-error' role='alert'>
          {error.value} <Button kind='link' onClick={() => directory.read()}>{t.common.retry}</Button>
        </p>
      )}
      {found.length === 0 && state.value === 'whole' && (
        <p class='nothing soft' dir='auto'>{text === '' ? a.channels.none : a.channels.noneFound(text)}</p>
      )}
      {state.value === 'more' && <Button onClick={() => directory.read()}>{t.people.showMore}</Button>}
    </>
  )
}

function Row ({ channel, onChanged }: { channel: ListedChannel, onChanged (): void }) {
  const { name, channel_type: type, topic, user_count: members, online_count: online } = channel
  return (
    <li>
      <Icon name={type === 'public' ? 'hash' : type === 'private' ? 'lock' : 'admin'} />
      <div>
        <p class='name'><b>{name}</b><span class='tag'>{t.channelSettings.types[type as keyof typeof t.channelSettings.types]}</span></p>
        {topic && <p class='soft'><bdi>{topic}</bdi></p>}
        <p class='soft small'>{t.common.people(members)} · {a.channels.online(count(online))}</p>
      </div>
      <MenuButton
        icon='more' label={a.channels.acts(name)}
        items={[
          { icon: 'hash', label: a.channels.open, onSelect: () => go({ view: 'channel', name }) },
          { icon: 'people', label: a.channels.members, onSelect: () => openMembers(name) },
          { icon: 'edit', label: a.channels.change, onSelect: () => openChannelForm(channel, onChanged) },
          {
            icon: 'trash', label: a.channels.remove, isDanger: true,
            onSelect: () => openDeleteChannel(name, () => {
              focusTitle()
              onChanged()
            })
          }
        ]}
      />
    </li>
  )
}
