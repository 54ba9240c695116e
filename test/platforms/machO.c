/*
 * Runs an addon for macOS on Linux, on a processor of the same kind: a Node-API addon that maps a Mach-O library
 * (MACH_O, its path) into memory, gives it Linux's functions for those of macOS that it names, and hands over to it.
 * Only what ld64.lld 14 writes for our kernels is understood; anything else ends the process.
 */
#include <dlfcn.h>
#include <node_api.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void die(const char *what, const char *detail) {
  fprintf(stderr, "%s: %s %s\n", MACH_O, what, detail);
  abort();
}

/* The first bytes of the file's structures, as mach-o/loader.h and mach-o/nlist.h have them. */
typedef struct {
  uint32_t magic, processor, model, kind, commands, bytes, flags, reserved;
} Header;
typedef struct {
  uint32_t kind, bytes;
} Command;
typedef struct {
  uint32_t kind, bytes;
  char name[16];
  uint64_t address, size, start, length;
} Segment;
typedef struct {
  uint32_t kind, bytes, symbols, count, names, names_bytes;
} Symbols;
typedef struct {
  uint32_t kind, bytes, rebase, rebase_bytes, bind, bind_bytes, weak, weak_bytes, lazy, lazy_bytes;
} Fixups;
typedef struct {
  uint32_t name;
  uint8_t kind, section;
  uint16_t description;
  uint64_t value;
} Symbol;
enum { SEGMENT = 0x19, SYMTAB = 0x2, DYLD_INFO = 0x80000022, CHAINED_FIXUPS = 0x80000034 };

static uint8_t *image;
static uint64_t segments[16];
static int segment_count;

#if defined(__x86_64__)
/* The system's answers about the processor. */
static int sysctl_by_name(const char *name, void *value, size_t *size, void *new_value, size_t new_size) {
  (void)new_value, (void)new_size;
  __builtin_cpu_init();
#define ANSWER(asked, feature)                            \
  if (!strcmp(name, "hw.optional." asked)) {              \
    if (*size != sizeof(int)) return -1;                  \
    *(int *)value = __builtin_cpu_supports(feature) != 0; \
    return 0;                                             \
  }
  ANSWER("avx2_0", "avx2")
  ANSWER("fma", "fma")
  ANSWER("avx512f", "avx512f")
  ANSWER("avx512vl", "avx512vl")
  ANSWER("avx512dq", "avx512dq")
  ANSWER("avx512bw", "avx512bw")
  return -1;
}
#define PRINT snprintf
#else
/* On Apple's ARM, the arguments of "..." are on the stack, eight bytes each, whatever registers are free. */
static int print(char *to, size_t size, const char *format, int64_t r3, int64_t r4, int64_t r5, int64_t r6, int64_t r7,
                 int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f) {
  (void)r3, (void)r4, (void)r5, (void)r6, (void)r7;
  return snprintf(to, size, format, a, b, c, d, e, f);
}
#define PRINT print
#endif

static void never(void) { die("a function was looked up late", ""); }

static void *function(const char *name) {
  if (!strcmp(name, "dyld_stub_binder")) return never;
  if (*name++ != '_') die("no name of C:", name - 1);
  if (!strcmp(name, "snprintf")) return PRINT;
#if defined(__x86_64__)
  if (!strcmp(name, "sysctlbyname")) return sysctl_by_name;
#endif
  void *found = dlsym(RTLD_DEFAULT, name);
  if (!found) die("Linux has no", name);
  return found;
}

static uint64_t leb(const uint8_t **at) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    uint8_t byte = *(*at)++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return value;
  }
}

static uint64_t *slot(unsigned segment, uint64_t offset) {
  if ((int)segment >= segment_count) die("a fixup is in no segment", "");
  return (uint64_t *)(image + segments[segment] + offset);
}

/* REBASE_OPCODE_*: pointers into the library move with it. */
static void rebase(const uint8_t *at, const uint8_t *end) {
  unsigned segment = 0;
  uint64_t offset = 0, count, skip;
  while (at < end) {
    uint8_t low = *at & 0x0f, opcode = *at++ & 0xf0;
    count = 0, skip = 0;
    if (opcode == 0x00) return;
    if (opcode == 0x10) continue;
    if (opcode == 0x20) segment = low, offset = leb(&at);
    else if (opcode == 0x30) offset += leb(&at);
    else if (opcode == 0x40) offset += low * 8;
    else if (opcode == 0x50) count = low;
    else if (opcode == 0x60) count = leb(&at);
    else if (opcode == 0x70) count = 1, skip = leb(&at);
    else if (opcode == 0x80) count = leb(&at), skip = leb(&at);
    else die("unknown rebase", "");
    for (; count > 0; count--, offset += 8 + skip) *slot(segment, offset) += (uint64_t)image;
  }
}

/* BIND_OPCODE_*: pointers to others' functions. Lazy ones are bound at once; each ends with a "done". */
static void bind(const uint8_t *at, const uint8_t *end, int lazy) {
  unsigned segment = 0;
  uint64_t offset = 0, count, skip;
  const char *name = "";
  int64_t addend = 0;
  while (at < end) {
    uint8_t low = *at & 0x0f, opcode = *at++ & 0xf0;
    count = 0, skip = 0;
    if (opcode == 0x00 && !lazy) return;
    if (opcode == 0x00 || opcode == 0x10 || opcode == 0x30 || opcode == 0x50) continue;
    if (opcode == 0x20) leb(&at);
    else if (opcode == 0x40) name = (const char *)at, at += strlen(name) + 1;
    else if (opcode == 0x60) addend = (int64_t)leb(&at);
    else if (opcode == 0x70) segment = low, offset = leb(&at);
    else if (opcode == 0x80) offset += leb(&at);
    else if (opcode == 0x90) count = 1;
    else if (opcode == 0xa0) count = 1, skip = leb(&at);
    else if (opcode == 0xb0) count = 1, skip = low * 8;
    else if (opcode == 0xc0) count = leb(&at), skip = leb(&at);
    else die("unknown bind", "");
    for (; count > 0; count--, offset += 8 + skip) *slot(segment, offset) = (uint64_t)function(name) + addend;
  }
}

static uint8_t *read_file(void) {
  FILE *file = fopen(MACH_O, "rb");
  if (!file || fseek(file, 0, SEEK_END)) die("cannot be read", "");
  long size = ftell(file);
  uint8_t *bytes = malloc(size);
  rewind(file);
  if (!bytes || fread(bytes, 1, size, file) != (size_t)size) die("cannot be read", "");
  fclose(file);
  return bytes;
}

/* The next command of a kind; NULL if there is none. */
static void *find(const uint8_t *file, uint32_t kind, const void *after) {
  const Header *header = (const Header *)file;
  const uint8_t *at = file + sizeof *header;
  for (uint32_t i = 0; i < header->commands; i++, at += ((const Command *)at)->bytes)
    if (((const Command *)at)->kind == kind && (!after || at > (const uint8_t *)after)) return (void *)at;
  return NULL;
}

static void load(const uint8_t *file) {
  uint64_t size = 0;
  for (Segment *each = NULL; (each = find(file, SEGMENT, each));) size = each->address + each->size;
  image = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (image == MAP_FAILED) die("no memory", "");
  for (Segment *each = NULL; (each = find(file, SEGMENT, each)); segment_count++) {
    if (segment_count == 16) die("too many segments", "");
    segments[segment_count] = each->address;
    memcpy(image + each->address, file + each->start, each->length);
  }
  Fixups *fixups = find(file, DYLD_INFO, NULL);
  if (!fixups || find(file, CHAINED_FIXUPS, NULL)) die("fixups of another kind", "");
  rebase(file + fixups->rebase, file + fixups->rebase + fixups->rebase_bytes);
  bind(file + fixups->bind, file + fixups->bind + fixups->bind_bytes, 0);
  bind(file + fixups->weak, file + fixups->weak + fixups->weak_bytes, 0);
  bind(file + fixups->lazy, file + fixups->lazy + fixups->lazy_bytes, 1);
  __builtin___clear_cache((char *)image, (char *)image + size);
}

NAPI_MODULE_INIT() {
  const uint8_t *file = read_file();
  if (!image) load(file);
  const Symbols *table = find(file, SYMTAB, NULL);
  const Symbol *symbols = (const Symbol *)(file + table->symbols);
  for (uint32_t i = 0; i < table->count; i++)
    if (symbols[i].section && !strcmp((const char *)file + table->names + symbols[i].name, "_napi_register_module_v1"))
      return ((napi_value(*)(napi_env, napi_value))(image + symbols[i].value))(env, exports);
  die("it does not offer", "napi_register_module_v1");
  return NULL;
}
