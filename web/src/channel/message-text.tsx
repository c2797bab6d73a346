import { memo } from 'preact/compat'
import type { ComponentChildren } from 'preact'
import { parley } from '../client.ts'
import { go } from '../route.ts'
import { t } from '../text.ts'
import { Link } from '../ui/button.tsx'
import { errorText } from '../ui/error-text.ts'
import { toast } from '../ui/toast.tsx'
import type { Inline } from './inline-markup.ts'
import { parseMarkup, type Block } from './markup.ts'

/** The text of a message, with its markup. `isActive`: its links can be reached with the Tab key. */
export const MessageText = memo(({ text, isActive }: { text: string, isActive: boolean }) => {
  const tabIndex = isActive ? 0 : -1
  return <div class='text' dir='auto'>{parseMarkup(text).map((block, key) => blockOf(block, key, tabIndex))}</div>
})

function blockOf (block: Block, key: number, tabIndex: number): ComponentChildren {
  switch (block.type) {
    case 'code': return (
      <div class='code' dir='ltr' key={key}>
        {block.language && <span class='language'>{block.language}</span>}
        <pre><code>{block.text}</code></pre>
      </div>
    )
    case 'quote': return <blockquote key={key} dir='auto'>{block.children.map((inner, at) => blockOf(inner, at, tabIndex))}</blockquote>
    default: return <p key={key} dir='auto'>{inlinesOf(block.children, tabIndex)}</p>
  }
}

function inlinesOf (parts: Inline[], tabIndex: number): ComponentChildren {
  return parts.map((part, key) => inlineOf(part, key, tabIndex))
}

function inlineOf (part: Inline, key: number, tabIndex: number): ComponentChildren {
  if (typeof part === 'string') return part
  switch (part.type) {
    case 'code': return <code key={key} dir='ltr'>{part.text}</code>
    case 'link': return (
      <a key={key} href={part.href} title={part.href} target='_blank' rel='noopener noreferrer nofollow' tabIndex={tabIndex}>
        {inlinesOf(part.children, tabIndex)}
      </a>
    )
    case 'mention': return <Mention key={key} handle={part.handle} />
    case 'channel': return <ChannelLink key={key} name={part.name} tabIndex={tabIndex} />
    case 'strong': return <strong key={key}>{inlinesOf(part.children, tabIndex)}</strong>
    case 'em': return <em key={key}>{inlinesOf(part.children, tabIndex)}</em>
    case 'del': return <del key={key}>{inlinesOf(part.children, tabIndex)}</del>
  }
}

function Mention ({ handle }: { handle: string }) {
  const isOwn = handle.toLowerCase() === parley.account.getSnapshot()?.handle
  return <span class={isOwn ? 'mention own' : 'mention'}>@{handle}</span>
}

/** A link to a channel. Opening an unknown channel might create it, so it is looked up first. */
function ChannelLink ({ name: written, tabIndex }: { name: string, tabIndex: number }) {
  const name = written.toLowerCase()
  const to = { view: 'channel', name } as const

  async function open (event: MouseEvent): Promise<void> {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    event.stopPropagation()
    try {
      await parley.rest('GET /api/channels/:name', { params: { name } })
      go(to)
    } catch (error) {
      toast(error instanceof Error && 'code' in error && error.code === 'channel_not_found' ? t.channel.noChannel(name) : errorText(error))
    }
  }

  return <span onClickCapture={event => { open(event) }}><Link to={to} tabIndex={tabIndex}>#{written}</Link></span>
}
