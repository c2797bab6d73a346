// The service worker. The socket and the REST calls are not its business.
export {}
