// A judge that finds secrets: it denies an action in whose texts something looks like a key, by its pattern or by its entropy.
// It is shown an action as JSON and answers with JSON; docs/judges.md has the form. It asks nobody.

import { Host } from "@extism/as-pdk";

/** Called where the language fails: the judge gives no answer, and the action is denied. */
export function fail(_message: string | null, _file: string | null, _line: u32, _column: u32): void {
  unreachable();
}

/** What keys begin with, and how many characters of a word follow at least. */
const PREFIXES: string[] = ["AKIA", "ASIA", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "sk-", "sk_live_", "rk_live_", "AIza", "npm_", "SG.", "hf_"];
const FOLLOWING: i32[] = [16, 16, 36, 36, 36, 22, 20, 10, 10, 20, 20, 20, 35, 36, 20, 30];

function isWord(c: i32): bool {
  return (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c == 43 || c == 47 || c == 61 || c == 95 || c == 45 || c == 46;
}

/** Bits of information in each character of a word. */
function entropy(word: string): f64 {
  const counts = new StaticArray<i32>(128);
  for (let i = 0; i < word.length; i++) counts[word.charCodeAt(i) & 127]++;
  let bits: f64 = 0;
  for (let i = 0; i < 128; i++) {
    if (counts[i] == 0) continue;
    const p = f64(counts[i]) / f64(word.length);
    bits -= (p * Math.log(p)) / Math.LN2;
  }
  return bits;
}

/** Says what a word looks like; empty: nothing. */
function suspicion(word: string): string {
  for (let i = 0; i < PREFIXES.length; i++) {
    if (word.startsWith(PREFIXES[i]) && word.length >= PREFIXES[i].length + FOLLOWING[i]) return "a key that begins with " + PREFIXES[i];
  }
  if (word.startsWith("eyJ") && word.split(".").length == 3 && word.length > 40) return "a JSON Web Token";
  if (word.length < 24) return "";
  let digits = 0, upper = 0, lower = 0, hex = true;
  for (let i = 0; i < word.length; i++) {
    const c = word.charCodeAt(i);
    if (c >= 48 && c <= 57) digits++;
    else if (c >= 65 && c <= 90) upper++;
    else if (c >= 97 && c <= 122) lower++;
    if (!((c >= 48 && c <= 57) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70))) hex = false;
  }
  const bits = entropy(word);
  if (hex && word.length >= 32 && digits >= 4 && upper + lower >= 4 && bits > 3.0) return "random hexadecimal digits";
  if (digits >= 3 && upper >= 3 && lower >= 3 && bits > 4.2) return "random characters";
  return "";
}

/** Looks at a text, word by word. */
function look(text: string): string {
  if (text.includes("PRIVATE KEY-----")) return "a private key";
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    if (i < text.length && isWord(text.charCodeAt(i))) continue;
    if (i > start) {
      // name=value is one word of these characters.
      const parts = text.substring(start, i).split("=");
      for (let k = 0; k < parts.length; k++) {
        const found = suspicion(parts[k]);
        if (found.length > 0) return found;
      }
    }
    start = i + 1;
  }
  return "";
}

/** Looks at every string of a JSON text, with its escapes undone. */
function find(json: string): string {
  let inside = false;
  let text = "";
  for (let i = 0; i < json.length; i++) {
    const c = json.charAt(i);
    if (!inside) {
      if (c == '"') {
        inside = true;
        text = "";
      }
    } else if (c == "\\") {
      const e = json.charAt(++i);
      if (e == "u") {
        text += String.fromCharCode(i32(parseInt(json.substr(i + 1, 4), 16)));
        i += 4;
      } else text += e == "n" || e == "t" || e == "r" || e == "b" || e == "f" ? " " : e;
    } else if (c == '"') {
      inside = false;
      const found = look(text);
      if (found.length > 0) return found;
    } else text += c;
  }
  return "";
}

export function judge(): i32 {
  const found = find(Host.inputString());
  if (found.length > 0) Host.outputString('{"decision": "deny", "reason": "the action has in it what looks like a secret: ' + found + '"}');
  else Host.outputString('{"decision": "allow", "reason": "nothing in it looks like a secret"}');
  return 0;
}
