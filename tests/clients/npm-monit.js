// npm's monit, as it is published: the status. Called by run.sh.
'use strict'

const { Client } = require('monit')

function fact (name, holds, detail) {
  console.log(holds ? `ok npm monit: ${name}` : `FAIL npm monit: ${name}: ${JSON.stringify(detail)}`)
}

const client = new Client({ hostname: '127.0.0.1', port: process.env.PORT, username: 'admin', password: 'monit' })
client.status().then((status) => {
  const services = status.monit.service
  const web = services.find((service) => service.name === 'web')
  fact('services', services.length === 13, services.length)
  fact('type', web.$.type === 3, web.$)
  fact('status', web.status === 0 && web.monitor === 1, web)
  fact('version', /^5\.\d+\.\d+$/.test(status.monit.server.version), status.monit.server)
  fact('platform', typeof status.monit.platform.name === 'string', status.monit.platform)
  return client.action({ service: 'web', action: 'restart' }).then(
    (answer) => fact('an action without a token is refused, as by Monit', false, answer),
    (error) => fact('an action without a token is refused, as by Monit', error.statusCode === 403, error.message))
}).catch((error) => fact('the status is read', false, error.message))
