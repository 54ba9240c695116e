/*
 * Calls of Node's functions on Windows. An import table would name node.exe, which an Electron application is not: the
 * functions are searched, once, in the program that loads the addon, whatever its name. Each call jumps through a slot.
 */
#include <windows.h>
#include "addon/node_functions.h"

#define SLOT(name)                        \
  void *slot_##name;                      \
  __asm__(".text\n"                       \
          ".globl " #name "\n" #name ":\n" \
          "  jmp *slot_" #name "(%rip)\n");
NODE_FUNCTIONS(SLOT)

static const struct {
  const char *name;
  void **slot;
} slots[] = {
#define ENTRY(name) {#name, &slot_##name},
    NODE_FUNCTIONS(ENTRY)
};

/* FALSE, on which the addon does not load, if one of them is not there. */
BOOL WINAPI DllMain(HINSTANCE library, DWORD reason, LPVOID reserved) {
  (void)library, (void)reserved;
  if (reason != DLL_PROCESS_ATTACH) return TRUE;
  /* Builds of Node may keep its functions in a library beside the program. */
  const HMODULE places[] = {GetModuleHandleW(NULL), GetModuleHandleW(L"libnode.dll"), GetModuleHandleW(L"node.dll")};
  for (unsigned i = 0; i < sizeof slots / sizeof *slots; i++)
    for (unsigned j = 0; j < sizeof places / sizeof *places && !*slots[i].slot; j++)
      if (places[j]) *slots[i].slot = (void *)(UINT_PTR)GetProcAddress(places[j], slots[i].name);
  for (unsigned i = 0; i < sizeof slots / sizeof *slots; i++)
    if (!*slots[i].slot) return FALSE;
  return TRUE;
}
