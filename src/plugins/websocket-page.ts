import { frameErrors } from '../errors.ts'
import type { AsyncApi, Json, Message, Operation } from '../requests/asyncapi.ts'
import { Timestamp, Uuid } from '../schemas/common.ts'

/** A field of a frame: its place, such as `channels[].id`, and what it holds, as HTML. */
interface Field { path: string, type: string, isOptional: boolean, about: string }

/** An enumeration with more words than this is not listed. */
const MANY = 8

const groups = [
  { tag: 'requests', title: 'Requests', about: 'A `type` identifies the frame.' },
  { tag: 'commands', title: 'Commands', about: 'A frame with a `command` is a command, whatever its `type`.' },
  { tag: 'notices', title: 'Notices', about: 'Frames that the server sends unasked.' }
]

/** Makes the page that shows the AsyncAPI document: HTML without scripts, whose only style is `style`. */
export function websocketPage (document: AsyncApi): string {
  const operations = Object.entries(document.operations)
  const inGroup = (tag: string) => operations.filter(([, { tags }]) => tags[0]!.name === tag)
  const { schemas } = document.components
  const contents = groups.map(({ tag, title }) => linksTo(title, inGroup(tag).map(([id, { title }]) => [id, title])))
  const sections = groups.map(({ tag, title, about }) => `<section aria-labelledby="${tag}">
<h2 id="${tag}">${title}</h2><p>${text(about)}</p>
${inGroup(tag).map(([id, operation]) => section(document, id, operation)).join('\n')}
</section>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Parley: WebSocket</title>
<style>${style}</style>
</head>
<body>
<a class="skip" href="#main">Skip the contents</a>
<header>
<h1>WebSocket</h1>
<p>One connection to <code>/websocket</code> carries everything: JSON objects, one in each text frame. Each request gets one reply, in the
order of the requests, and a <code>ref</code> comes back on it. Ignore frames and fields that you do not know. Numbers such as [P8] are the
rules of <code>docs/protocol.md</code>. This page is made of <a href="/asyncapi.json">/asyncapi.json</a>; <a href="/docs">/docs</a> shows
REST.</p>
</header>
<nav aria-label="Contents">${contents.join('')}${linksTo('Reference', [['objects', 'objects'], ['errors', 'errors']])}</nav>
<main id="main" tabindex="-1">
${sections.join('\n')}
<section aria-labelledby="objects"><h2 id="objects">Objects</h2>
${Object.entries(schemas).map(([name, schema]) =>
  `<article><h3 id="schema_${name}">${name}</h3>${fieldList(fieldsOf(schema))}</article>`).join('\n')}
</section>
<section aria-labelledby="errors"><h2 id="errors">Errors</h2>
<p>After an error marked <em>again</em>, the same frame may succeed later, after <code>retry_after_ms</code>.</p>
${fieldList(fieldsOf(document.components.messages.error!.payload))}
<dl>${Object.entries(frameErrors).map(([code, { message, ...kind }]) =>
  `<dt id="error_${code}"><code>${code}</code>${'again' in kind ? ' <em>again</em>' : ''}</dt><dd>${text(message)}</dd>`).join('')}</dl>
</section>
</main>
</body>
</html>
`
}

function linksTo (title: string, links: Array<[string, string]>): string {
  return `<h2>${title}</h2><ul>${links.map(([id, name]) => `<li><a href="#${id}">${name}</a></li>`).join('')}</ul>`
}

function section (document: AsyncApi, id: string, { title, summary, messages, reply, security, 'x-errors': errors }: Operation): string {
  const message = ({ $ref }: { $ref: string }): Message => document.components.messages[$ref.split('/').at(-1)!]!
  const frame = message(messages[0]!)
  const answer = reply && message(reply.messages[0]!)
  return `<article><h3 id="${id}">${title}</h3>
<p>${text(summary)}${reply && !security ? ' No authentication is needed.' : ''}</p>
${fieldList(fieldsOf(frame.payload))}
${example(frame, reply ? 'Example' : 'Example of the notice')}
${answer ? `<h4>Reply</h4>${fieldList(fieldsOf(answer.payload))}${example(answer, 'Example of the reply')}` : ''}
${errors ? `<h4>Errors</h4><p class="codes">${errors.map(linkToError).join(' ')}</p>` : ''}
</article>`
}

function linkToError (code: string): string {
  return `<a href="#error_${code}"><code>${code}</code></a>`
}

function example ({ examples: [first], title }: Message, label: string): string {
  return `<pre tabindex="0" aria-label="${label}: ${title}"><code>${escape(JSON.stringify(first!.payload, null, 2))}</code></pre>`
}

function fieldList (fields: Field[]): string {
  const items = fields.map(({ path, type, isOptional, about }) => {
    const term = `<dt><code>${path}</code> <span>${type}${isOptional ? ', optional' : ''}</span></dt>`
    return about === '' || about === type ? term : `${term}<dd>${text(about)}</dd>`
  })
  return `<dl>${items.join('')}</dl>`
}

/** The fields of an object, with those of the objects in it that have no name of their own. */
function fieldsOf ({ properties = {}, required = [] }: Json, prefix = ''): Field[] {
  return Object.entries(properties as Record<string, Json>).flatMap(([name, schema]) => {
    const path = prefix + name
    const isOptional = !(required as string[]).includes(name)
    const field = { path, type: typeOf(schema), isOptional, about: String(schema.description ?? '') }
    const items = schema.items as Json | undefined
    return [field, ...fieldsOf(schema, `${path}.`), ...items ? fieldsOf(items, `${path}[].`) : []]
  })
}

/** Says in HTML what values a schema allows. */
function typeOf (schema: Json): string {
  const { $ref, const: only, enum: words, anyOf, type, items, pattern } = schema
  if (typeof $ref === 'string') return `<a href="#schema_${$ref.split('/').at(-1)}">${$ref.split('/').at(-1)}</a>`
  if (only !== undefined) return `<code>${escape(JSON.stringify(only))}</code>`
  if (Array.isArray(words)) return words.length > MANY ? 'one of many words' : words.map(word => `<code>"${word}"</code>`).join(' or ')
  if (Array.isArray(anyOf) && type === undefined) return (anyOf as Json[]).map(nameOf).join(' or ')
  if (type === 'array') return `list of ${typeOf(items as Json)}`
  if (pattern === Uuid.pattern) return 'UUID'
  if (pattern === Timestamp.pattern) return 'time'
  return [type ?? 'any JSON value', ...limitsOf(schema)].join(', ')
}

function limitsOf ({ type, pattern, minimum, maximum, minLength, maxLength }: Json): string[] {
  const isRange = type === 'integer' && typeof minimum === 'number' && typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER
  return [
    ...typeof minLength === 'number' && minLength > 1 ? [`at least ${minLength} characters`] : [],
    ...typeof maxLength === 'number' ? [`at most ${maxLength} characters`] : [],
    ...isRange ? [`${minimum} to ${maximum}`] : [],
    ...typeof pattern === 'string' ? [`matching <code>${escape(pattern)}</code>`] : []
  ]
}

/** An entry of a channel has a place of its own on the page. */
function nameOf (schema: Json): string {
  const kind = (schema.properties as Record<string, Json> | undefined)?.type?.const
  return typeof kind === 'string' ? `<a href="#notice_${kind}">${kind}</a>` : typeOf(schema)
}

/** Escapes a text and shows what is between backticks as code. */
function text (value: string): string {
  return escape(value).replace(/`([^`]+)`/g, '<code>$1</code>')
}

function escape (value: string): string {
  return value.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}

export const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --quiet: #5a6068; --link: #0b57c2; }
@media (prefers-color-scheme: dark) { :root { --quiet: #a5acb5; --link: #8ab8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; }
code, pre { font: 0.9em/1.45 ui-monospace, monospace; }
h1, h2, h3, h4 { line-height: 1.25; scroll-margin-top: 1rem; }
h3 { font: 600 1.15rem ui-monospace, monospace; margin: 0 0 0.5rem; }
h4 { margin: 1rem 0 0.25rem; }
nav h2 { font-size: 1rem; margin: 1rem 0 0.25rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.1rem 0.9rem; margin: 0; padding: 0; list-style: none; }
nav a { display: inline-block; padding: 0.15rem 0; font-size: 0.9rem; }
article { border-top: 1px solid var(--line); padding: 1.25rem 0; }
dl { margin: 0.5rem 0; }
dt { margin-top: 0.3rem; }
dt span, dd, em { color: var(--quiet); }
dd { margin: 0 0 0 1rem; }
pre { margin: 0.5rem 0; padding: 0.75rem; overflow-x: auto; overflow-wrap: normal; background: var(--soft); border-radius: 0.4rem; }
.codes { line-height: 1.8; }
@media (min-width: 60rem) {
  body { display: grid; grid-template-columns: 15rem minmax(0, 1fr); column-gap: 2.5rem; }
  header { grid-column: 1 / -1; }
  nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: 0 0.25rem 1rem; }
  nav ul { flex-direction: column; }
}
`
