// The service worker keeps the files of its version of the app, so that the app opens without a network. The socket and the calls of the
// API are not its business. A new version takes over when no page of the old one is open, so a page never meets files of another version.
import type { NotificationData } from './notify/notifier.ts'

/** The files of this build besides the page, relative to the root of the app. The bundler puts them in. */
declare const PARLEY_FILES: string[]

/** The parts of a service worker's global object that are used here: the library of types for pages has none of them. */
interface Worker {
  registration: ServiceWorkerRegistration
  clients: {
    matchAll (options: object): Promise<Array<{ url: string, focus (): Promise<unknown>, postMessage (message: unknown): void }>>
    openWindow (address: string): Promise<unknown>
  }
  addEventListener (type: string, listener: (event: WorkerEvent) => void): void
}
interface WorkerEvent {
  request: Request
  notification: Notification
  waitUntil (work: Promise<unknown>): void
  respondWith (answer: Promise<Response>): void
}

/** The first parts of the paths of the app's views. */
const VIEWS = ['', 'c', 'd', 'browse', 'search', 'settings', 'admin', 'login', 'register', 'forgot', 'reset', 'verify']

const worker = globalThis as unknown as Worker
/** The address of the app's root. */
const scope = worker.registration.scope
/** Another app under another path of this origin has caches of its own. */
const prefix = `parley:${scope}:`
const cacheName = prefix + globalThis.PARLEY_ASSETS

worker.addEventListener('install', event => { event.waitUntil(fill()) })
worker.addEventListener('activate', event => { event.waitUntil(removeOld()) })

worker.addEventListener('fetch', event => {
  const { method, mode, url } = event.request
  if (method !== 'GET' || !url.startsWith(scope)) return
  const [first = ''] = url.slice(scope.length).split(/[/?#]/)
  if (mode === 'navigate' && VIEWS.includes(first)) event.respondWith(open(event.request))
  else if (first === 'assets') event.respondWith(file(event.request))
})

worker.addEventListener('notificationclick', event => {
  event.notification.close()
  event.waitUntil(show(event.notification.data as NotificationData))
})

async function fill (): Promise<void> {
  const cache = await caches.open(cacheName)
  await cache.addAll(PARLEY_FILES)
  await keepPage(await fetch(scope, { cache: 'no-cache' }))
}

async function removeOld (): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(prefix) && name !== cacheName) await caches.delete(name)
}

/** Gets the page from the server, and the kept one if there is no server. */
async function open (request: Request): Promise<Response> {
  try {
    const answer = await fetch(request)
    if (answer.status < 500) return answer
  } catch {
    // There is no network.
  }
  const kept = await (await caches.open(cacheName)).match(scope)
  return kept ?? Response.error()
}

/** Keeps the page, so that it fits to an address of any depth: its base is the root of the app. */
async function keepPage (answer: Response): Promise<void> {
  const text = (await answer.text()).replace(/<base href="[^"]*">/, `<base href="${new URL(scope).pathname}">`)
  if (!answer.ok || !text.includes(globalThis.PARLEY_ASSETS)) throw new Error('the server has another version of the app by now')
  await (await caches.open(cacheName)).put(scope, new Response(text, { headers: answer.headers }))
}

/** Gets a file, which never changes. */
async function file (request: Request): Promise<Response> {
  return await (await caches.open(cacheName)).match(request, { ignoreVary: true }) ?? fetch(request)
}

/** Shows the message of a notification, in a page that is open if there is one. */
async function show ({ route, address }: NotificationData): Promise<void> {
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const page = pages.find(({ url }) => url.startsWith(scope))
  if (!page) {
    await worker.clients.openWindow(address)
    return
  }
  page.postMessage({ type: 'open', route })
  await page.focus()
}
