'use strict'

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escape = (text) => String(text).replace(/[&<>"']/g, (char) => ENTITIES[char])

function entry({ name, message, written_at: writtenAt }) {
  const time = writtenAt.toISOString().slice(0, 16).replace('T', ' ')
  return `<li><b>${escape(name)}</b> <time>${time}</time><p>${escape(message)}</p></li>`
}

/** `key` goes back with the form, so that a form sent twice is one entry. */
function page({ entries, replica, key }) {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Guestbook</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
  form { display: grid; gap: .5rem; margin-bottom: 2rem }
  input, textarea, button { font: inherit; padding: .5rem; border: 1px solid #aaa; border-radius: .3rem }
  button { background: #246; color: #fff; border: 0 }
  ul { list-style: none; padding: 0 } li { border-top: 1px solid #ddd; padding: .5rem 0 } li p { margin: 0; white-space: pre-wrap }
  time, footer { color: #777; font-size: .85rem }
</style>
<h1>Guestbook</h1>
<form method="post" action="/entries">
  <input type="hidden" name="key" value="${escape(key)}">
  <input name="name" placeholder="Your name" maxlength="80" required>
  <textarea name="message" placeholder="Your message" maxlength="2000" rows="3" required></textarea>
  <button>Sign</button>
</form>
<ul>${entries.map(entry).join('\n')}</ul>
<footer>${entries.length} entries, shown by replica ${escape(replica)}</footer>
`
}

module.exports = { page }
