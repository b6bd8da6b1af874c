/* Prints the addresses that the C library finds for a name, one a line, or why there are none. */
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int count, char **words) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all;
  int failed = count < 2 ? EAI_NONAME : getaddrinfo(words[1], 0, &hints, &all);
  if (failed) return puts(gai_strerror(failed)), 1;
  for (; all; all = all->ai_next) {
    char text[64];
    getnameinfo(all->ai_addr, all->ai_addrlen, text, sizeof text, 0, 0, NI_NUMERICHOST);
    puts(text);
  }
}
