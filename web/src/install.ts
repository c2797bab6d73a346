/** Installs the service worker, with which the app opens without a network. It can wait until the page has loaded. */
export function install (): void {
  if (!('serviceWorker' in navigator)) return
  const start = (): void => {
    const policy = trustedTypes()?.createPolicy('parley-web', { createScriptURL: address => address })
    const address = new URL('sw.js', document.baseURI).href
    navigator.serviceWorker.register(policy?.createScriptURL(address) ?? address).catch((error: unknown) => {
      // The app works without it, as long as there is a network.
      console.warn('parley: the app cannot be opened without a network', error)
    })
  }
  if (document.readyState === 'complete') start()
  else addEventListener('load', start, { once: true })
}

interface Policy { createScriptURL (address: string): string }

/** Trusted Types, where the browser has them. The types of the library lack them. */
function trustedTypes () {
  return (globalThis as { trustedTypes?: { createPolicy (name: string, rules: Policy): Policy } }).trustedTypes
}
