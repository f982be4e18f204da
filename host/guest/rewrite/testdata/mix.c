// A bit of everything that a C compiler makes of ordinary code, without any import. Built by the differential test.
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

static u8 mem[70000];
static u32 seed;

static u32 next(void) { return seed = seed * 1664525u + 1013904223u; }

#define EXPORT(name) __attribute__((export_name(#name)))

EXPORT(fib) u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

EXPORT(sorted) u32 sorted(u32 n) {
  n %= 2000;
  u32 *a = (u32 *)mem;
  seed = n;
  for (u32 i = 0; i < n; i++) a[i] = next();
  for (u32 gap = n / 2; gap; gap /= 2)
    for (u32 i = gap; i < n; i++)
      for (u32 j = i; j >= gap && a[j - gap] > a[j]; j -= gap) {
        u32 t = a[j]; a[j] = a[j - gap]; a[j - gap] = t;
      }
  u32 h = 0;
  for (u32 i = 0; i < n; i++) h = h * 31 + a[i];
  return h;
}

static u32 add(u32 a, u32 b) { return a + b; }
static u32 mul(u32 a, u32 b) { return a * b; }
static u32 xor(u32 a, u32 b) { return a ^ b; }
static u32 (*const ops[])(u32, u32) = {add, mul, xor};

EXPORT(pointers) u32 pointers(u32 n) {
  u32 h = 1;
  for (u32 i = 0; i < n % 1000; i++) h = ops[(h ^ i) % 3](h, i | 1);
  return h;
}

EXPORT(machine) u32 machine(u32 n) {
  u32 acc = 0, steps = 0;
  seed = n;
  for (;;) {
    if (++steps > 500) return acc;
    switch (next() >> 28) {
    case 0: acc += 7; break;
    case 1: acc ^= steps; continue;
    case 2: case 3: acc = acc << 3 | acc >> 29; break;
    case 4: if (acc & 1) return acc ^ n; break;
    case 9: acc -= 3;
    case 10: acc *= 5; break;
    default: acc++;
    }
  }
}

EXPORT(copies) u32 copies(u32 n) {
  n %= 30000;
  __builtin_memset(mem, (int)n, n);
  for (u32 i = 0; i < n; i += 97) mem[i] = (u8)i;
  __builtin_memmove(mem + 13, mem, n);
  __builtin_memcpy(mem + 40000, mem + 5, n % 20000);
  u32 h = 0;
  for (u32 i = 0; i < 70000; i++) h = h * 33 ^ mem[i];
  return h;
}

EXPORT(floats) u32 floats(u32 n) {
  double x = n % 1000 + 1, s = 0;
  for (int i = 1; i < 200; i++) { s += __builtin_sqrt(x * i) / (i + 0.5); x = x * 0.999 + 1; }
  float f = (float)s;
  return (u32)(f * 1000.0f) ^ (u32)(long long)s;
}

EXPORT(wide) u32 wide(u32 n) {
  u64 a = n * 0x9e3779b97f4a7c15ull, h = 0;
  for (int i = 0; i < 100; i++) { a ^= a >> 12; a ^= a << 25; a ^= a >> 27; h += a * 2685821657736338717ull; h = (h << 7) | (h >> 57); }
  return (u32)(h ^ h >> 32);
}

EXPORT(vectors) u32 vectors(u32 n) {
  u32 *a = (u32 *)mem, s = 0;
  for (u32 i = 0; i < 4096; i++) a[i] = i * n;
  for (u32 i = 0; i < 4096; i++) s += a[i] ^ (a[i] >> 3);
  return s;
}
