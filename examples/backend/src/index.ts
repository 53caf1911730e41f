import { Harbour } from './harbour.js'
import { log } from './log.js'
import { serve } from './server.js'

const url = process.env.DATABASE_URL
if (!url) {
  log('DATABASE_URL is not set')
  process.exit(1)
}

const harbour = new Harbour(url)
// It does not migrate, and does not wait: if the table is missing, it was started too early, and says so.
try {
  log('started', { loadLines: await harbour.loadLines() })
} catch (error) {
  log('started before its database was ready', { error: String(error) })
  process.exit(1)
}

const server = serve(harbour).listen(Number(process.env.PORT ?? 3000), () => {
  log('listening', { address: server.address() })
})

// Node as the first process of a container has no default for these. What is being answered is answered to the end.
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    log('stopping', { signal })
    server.close(() => {
      harbour.close().then(() => log('stopped'))
    })
    server.closeIdleConnections()
  })
}
