/* Headers of PostgreSQL that the parser never uses mention these. */
#pragma once
#define NI_MAXHOST 1025
struct sockaddr;
struct addrinfo {
	int ai_flags, ai_family, ai_socktype, ai_protocol;
	unsigned ai_addrlen;
	struct sockaddr *ai_addr;
	char *ai_canonname;
	struct addrinfo *ai_next;
};
