/* Writes users' files as Prosody does, fast: a whole tree of them, or logins at a steady rate.

   tree make    STORE BASE TOTAL RANGES FIRST LAST
   tree login   STORE BASE TOTAL RANGES FIRST LAST RATE LOG [RECORDS]
   tree restore STORE BASE TOTAL RANGES FIRST LAST

   STORE is the directory HOST/lastlog2; BASE the moment (Unix seconds) that the tree's ages are reckoned from; TOTAL
   its number of users; RANGES a file of networks to draw addresses from. `make` writes the users FIRST..LAST-1.
   Of a hundred users 8 were active in a day before BASE, 20 in a week, 40 in a month, and none is within twelve hours
   of leaving a window, so the counts hold for that long. A file's mtime is its newest timestamp.
   `login` lets those log in who were not active for a month (new users, where these run out), RATE a second (0: as fast
   as can be), as Prosody writes it: NAME.dat~, then a rename; each also as a login record to the directory RECORDS.
   LOG receives when each rename was done, a double of CLOCK_MONOTONIC each. `restore` undoes logins. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DAY = 86400, HOUR = 3600 };

struct network { int family; uint64_t start, size; };

static struct network *networks;
static size_t networks_count;
static long long base, total;

static void fail(const char *what) { perror(what); exit(1); }

static uint64_t mixed(uint64_t x) { /* splitmix64 */
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static void read_networks(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    networks = malloc(sizeof *networks << 20);
    struct network *one = networks;
    while (fscanf(file, "%d %" SCNu64 " %" SCNu64, &one->family, &one->start, &one->size) == 3) one++;
    networks_count = one - networks;
    fclose(file);
    if (!networks_count) { fprintf(stderr, "%s: no networks\n", path); exit(1); }
}

static void address(uint64_t seed, char *text) {
    struct network *from = &networks[mixed(seed) % networks_count];
    uint64_t offset = mixed(seed + 1);
    if (from->family == 4) {
        uint32_t ip = htonl((uint32_t)(from->start + offset % from->size));
        inet_ntop(AF_INET, &ip, text, INET6_ADDRSTRLEN);
    } else {
        unsigned char ip[16];
        uint64_t high = from->start + offset % from->size, low = mixed(seed + 2);
        for (int i = 0; i < 8; i++) ip[i] = high >> (56 - 8 * i), ip[8 + i] = low >> (56 - 8 * i);
        inet_ntop(AF_INET6, ip, text, INET6_ADDRSTRLEN);
    }
}

static void name(long long user, char *text) {
    sprintf(text, user % 10 ? "user%lld.dat" : "first%%2elast%lld.dat", user);
}

static long long newest(long long user) {
    uint64_t dice = mixed(user * 7 + 3);
    int of_hundred = user % 100;
    if (of_hundred < 8) return base - 60 - dice % (11 * HOUR);
    if (of_hundred < 20) return base - DAY - dice % (5 * DAY + 9 * HOUR);
    if (of_hundred < 40) return base - 7 * DAY - dice % (22 * DAY + 9 * HOUR);
    return base - 31 * DAY - HOUR - dice % (334 * DAY); /* not in this month, whatever its length */
}

/* The user of the number-th login. */
static long long of_login(long long number) {
    long long old = total / 100 * 60;
    return number < old ? number / 60 * 100 + 40 + number % 60 : total + number - old;
}

/* Prosody's order of keys is that of Lua's hash: either may come first. */
static int event(char *text, const char *kind, long long when, const char *ip, int is_ip_first) {
    const char *when_first = "\t[\"%1$s\"] = {\n\t\t[\"timestamp\"] = %2$lld;\n\t\t[\"ip\"] = \"%3$s\";\n\t};\n";
    const char *ip_first = "\t[\"%1$s\"] = {\n\t\t[\"ip\"] = \"%3$s\";\n\t\t[\"timestamp\"] = %2$lld;\n\t};\n";
    return sprintf(text, is_ip_first ? ip_first : when_first, kind, when, ip);
}

static int lastlog2(char *text, long long login, long long logout, const char *ip) {
    char *at = text + sprintf(text, "return {\n");
    at += event(at, "login", login, ip, 0);
    if (logout) at += event(at, "logout", logout, ip, 1);
    return at + sprintf(at, "};\n") - text;
}

static void put(int directory, const char *file, const char *text, int length, long long mtime) {
    char temporary[64];
    sprintf(temporary, "%s~", file);
    const char *target = mtime ? file : temporary;
    int fd = openat(directory, target, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    if (fd < 0 || write(fd, text, length) != length) fail(target);
    if (mtime) {
        struct timespec times[2] = {{mtime, 0}, {mtime, mixed(mtime) % 1000000000}};
        if (futimens(fd, times)) fail(target);
    }
    close(fd);
    if (!mtime && renameat(directory, temporary, directory, file)) fail(file);
}

static void make(int store, long long user) {
    char file[48], ip[INET6_ADDRSTRLEN], text[512];
    long long when = newest(user);
    name(user, file);
    address(user * 4, ip);
    int is_open = user % 9 == 0; /* no logout yet */
    int length = lastlog2(text, is_open ? when : when - 1 - (long long)(mixed(user) % 1800), is_open ? 0 : when, ip);
    put(store, file, text, length, when);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void wait_until(double moment) {
    double left = moment - now();
    if (left < 0.0005) return;
    struct timespec t = {(time_t)left, (long)((left - (time_t)left) * 1e9)};
    nanosleep(&t, NULL);
}

static void log_in(int store, int records, long long number) {
    static const char *clients[] = {"Conversations.%04x", "dino.%08x", "gajim.%08X", "Monal-iOS.%08x", "unheard-%x"};
    char file[48], ip[INET6_ADDRSTRLEN], text[512], resource[64];
    long long user = of_login(number), when = time(NULL);
    name(user, file);
    address((uint64_t)user * 4 + ((uint64_t)1 << 40), ip);
    put(store, file, text, lastlog2(text, when, user < total ? newest(user) : 0, ip), 0);
    if (records < 0) return;
    struct tm *date = localtime(&(time_t){when});
    sprintf(resource, clients[user % 5], (unsigned)mixed(user) & 0xffff);
    int length = sprintf(text,
                         "return {\n\t[\"%04d-%02d\"] = {\n\t\t[\"timestamp\"] = %lld;\n\t\t[\"ip\"] = \"%s\";\n"
                         "\t\t[\"resource\"] = \"%s\";\n\t};\n};\n",
                         date->tm_year + 1900, date->tm_mon + 1, when, ip, resource);
    put(records, file, text, length, 0);
}

int main(int argc, char **argv) {
    if (argc < 8) { fprintf(stderr, "usage: see the head of tree.c\n"); return 2; }
    base = atoll(argv[3]), total = atoll(argv[4]);
    read_networks(argv[5]);
    long long first = atoll(argv[6]), last = atoll(argv[7]);
    int store = open(argv[2], O_RDONLY | O_DIRECTORY);
    if (store < 0) fail(argv[2]);
    if (!strcmp(argv[1], "make")) {
        for (long long user = first; user < last; user++) make(store, user);
    } else if (!strcmp(argv[1], "restore")) {
        char file[48];
        for (long long number = first; number < last; number++) {
            long long user = of_login(number);
            if (user < total) make(store, user);
            else if (name(user, file), unlinkat(store, file, 0) && errno != ENOENT) fail(file);
        }
    } else if (argc >= 10) {
        double rate = atof(argv[8]), *done = malloc(sizeof *done * (last - first + 1)), begin = now();
        int records = argc > 10 ? open(argv[10], O_RDONLY | O_DIRECTORY) : -1;
        for (long long number = first; number < last; number++) {
            if (rate > 0) wait_until(begin + (number - first) / rate);
            log_in(store, records, number);
            done[number - first] = now();
        }
        FILE *file = fopen(argv[9], "wb");
        if (!file || fwrite(done, sizeof *done, last - first, file) != (size_t)(last - first) || fclose(file)) fail(argv[9]);
    } else return 2;
    return 0;
}
