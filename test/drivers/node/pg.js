// node-postgres: simple queries without parameters, the extended protocol with them; one that pipelines where "queue" wants it.
'use strict'

const { Client } = require('pg')
const Cursor = require('pg-cursor')
const { from } = require('pg-copy-streams')
const { pipeline } = require('node:stream/promises')
const { Readable } = require('node:stream')
const { target, rows, attempt, several, play } = require('./common.js')

class Driver {
  async connect () {
    const ssl = process.env.TLS === 'yes' && { rejectUnauthorized: false }
    this.client = new Client({ ...target, ssl })
    await this.client.connect()
    this.pipelining = new Client({ ...target, ssl, pipeline: true })
    await this.pipelining.connect()
    this.prepared_ = 0
  }

  // asked is what the driver wants to be asked: nothing is converted, rows are arrays.
  asked (text, values, name) {
    return { text, values, name, rowMode: 'array', types: { getTypeParser: () => v => v } }
  }

  async query (s) { return rows((await this.client.query(this.asked(s.sql, s.args))).rows) }
  async exec (s) { return { count: (await this.client.query(this.asked(s.sql, s.args))).rowCount } }

  async run (s) {
    await this.client.query(s.sql)
    return { ok: true }
  }

  begin () { return this.run({ sql: 'begin' }) }
  rollback () { return this.run({ sql: 'rollback' }) }

  async commit () {
    return { commit: { COMMIT: 'done', ROLLBACK: 'rolled back' }[(await this.client.query('commit')).command] }
  }

  prepared (s) {
    const name = 'prepared ' + this.prepared_++
    return several(async args => ({ count: (await this.client.query(this.asked(s.sql, args, name))).rowCount }), s.times)
  }

  // batch is one query of several statements.
  batch (s) { return this.run({ sql: s.statements.join('; ') }) }

  // queue sends everything before it reads anything, a Sync behind each statement.
  async queue (s) {
    const sent = s.statements.map(sql => attempt(async () => rows((await this.pipelining.query(this.asked(sql, []))).rows)))
    return { results: (await Promise.all(sent)).map(([result]) => result) }
  }

  // stream reads a portal in parts. The driver sends nothing else before the portal is read to its end, so what is to happen in
  // between happens in SQL cursors.
  async stream (s) {
    const portal = this.client.query(new Cursor(s.sql, []))
    let n = 0
    for (let part; (part = await portal.read(s.fetch)).length > 0;) n += part.length
    await portal.close()
    if (n !== 500) throw new Error('a portal gave ' + n + ' rows')
    await this.run({ sql: 'declare streaming cursor for ' + s.sql })
    const first = (await this.client.query(`fetch ${s.fetch} from streaming`)).rows.length
    const [during] = await attempt(() => this.exec({ sql: s.during }))
    const [rest] = await attempt(async () => ({ rows: (await this.client.query('fetch all from streaming')).rows.length }))
    return { first, during, rest }
  }

  async copy (s) {
    const into = this.client.query(from(`copy ${s.table} from stdin`))
    await pipeline(Readable.from(s.rows.map(row => row.join('\t') + '\n')), into)
    return { count: into.rowCount }
  }

  async close () {
    await this.client.end()
    await this.pipelining.end()
  }
}

play(new Driver())
