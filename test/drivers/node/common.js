// What the drivers of Node share: they play the steps of scenarios.json and print what came of each as a line of JSON.
'use strict'

const fs = require('node:fs')

const target = { host: process.env.PGHOST, port: Number(process.env.PGPORT), user: process.env.PGUSER, database: process.env.PGDATABASE }

// rows are rows as everything prints them; of many only the number.
function rows (values) {
  if (values.length > 10) return { many: values.length }
  return { rows: values.map(row => row.map(v => v === null ? null : String(v))) }
}

// attempt is the result of work, or the SQLSTATE and message that it failed with.
async function attempt (work) {
  try {
    return [await work(), '']
  } catch (e) {
    if (!/^[0-9A-Z]{5}$/.test(e.code || '')) throw e
    return [{ state: e.code }, e.message]
  }
}

// several are the results of work for each item, whether it fails or not.
async function several (work, items) {
  const results = []
  for (const item of items) results.push((await attempt(() => work(item)))[0])
  return { results }
}

// play plays all steps: driver has a method for each.
async function play (driver) {
  await driver.connect()
  for (const s of JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))) {
    for (const [step, spec] of s.steps.entries()) {
      const [result, message] = await attempt(() => driver[spec.do](spec))
      process.stdout.write(JSON.stringify({ scenario: s.name, step, result, message }) + '\n')
    }
  }
  await driver.close()
}

module.exports = { target, rows, attempt, several, play }
