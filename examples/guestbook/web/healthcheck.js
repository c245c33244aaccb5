'use strict'

const request = require('node:http').get({ host: '127.0.0.1', port: 8080, path: '/health', timeout: 2000 }, (response) => {
  process.exit(response.statusCode === 200 ? 0 : 1)
})
request.on('timeout', () => process.exit(1))
request.on('error', () => process.exit(1))
