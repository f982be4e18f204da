// postgres.js: prepared statements for everything, all queries pipelined.
'use strict'

const postgres = require('postgres')
const { pipeline } = require('node:stream/promises')
const { Readable } = require('node:stream')
const { target, rows, attempt, several, play } = require('./common.js')

class Driver {
  async connect () {
    this.sql = postgres({ ...target, max: 1, onnotice () {}, fetch_types: false, ssl: false })
  }

  // ask is a statement; text comes back as the server sends it.
  ask (sql, args) { return this.sql.unsafe(sql, args || [], { prepare: true }).raw() }

  async query (s) {
    return rows((await this.ask(s.sql, s.args)).map(row => row.map(v => v === null ? null : v.toString())))
  }

  async exec (s) { return { count: (await this.ask(s.sql, s.args)).count } }

  async run (s) {
    await this.sql.unsafe(s.sql)
    return { ok: true }
  }

  begin () { return this.run({ sql: 'begin' }) }
  rollback () { return this.run({ sql: 'rollback' }) }

  async commit () {
    return { commit: { COMMIT: 'done', ROLLBACK: 'rolled back' }[(await this.sql.unsafe('commit')).command] }
  }

  prepared (s) { return several(async args => ({ count: (await this.ask(s.sql, args)).count }), s.times) }

  // batch is one query of several statements.
  batch (s) { return this.run({ sql: s.statements.join('; ') }) }

  // queue sends everything before it reads anything, a Sync behind each statement.
  async queue (s) {
    const sent = s.statements.map(sql => attempt(() => this.query({ sql })))
    return { results: (await Promise.all(sent)).map(([result]) => result) }
  }

  // stream reads a portal in parts. The driver sends nothing else before the portal is read to its end, so what is to happen in
  // between happens in SQL cursors.
  async stream (s) {
    let n = 0
    for await (const part of this.sql.unsafe(s.sql).cursor(s.fetch)) n += part.length
    if (n !== 500) throw new Error('a portal gave ' + n + ' rows')
    await this.run({ sql: 'declare streaming cursor for ' + s.sql })
    const first = (await this.sql.unsafe(`fetch ${s.fetch} from streaming`)).count
    const [during] = await attempt(() => this.exec({ sql: s.during }))
    const [rest] = await attempt(async () => ({ rows: (await this.sql.unsafe('fetch all from streaming')).count }))
    return { first, during, rest }
  }

  async copy (s) {
    const into = await this.sql.unsafe(`copy ${s.table} from stdin`).writable()
    await pipeline(Readable.from(s.rows.map(row => row.join('\t') + '\n')), into)
    return { count: s.rows.length }
  }

  async close () {
    await this.sql.end()
  }
}

play(new Driver())
