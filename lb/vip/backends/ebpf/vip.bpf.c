/*
 * Virtual IPs at the socket: a connection to a VIP becomes one to a backend before its first packet exists, so nothing is
 * translated afterwards. Whatever these programs do not know they leave alone, and nftables serves or refuses it.
 *
 * One set of programs for each agent, at the root of the control groups of the machine. `host_…` act for processes in the
 * agent's network namespace, whatever their control group; `container_…` are attached to the group of the agent's
 * containers, whose namespaces are their own. The others look only at sockets that these have marked.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define TCP 6
#define UDP 17
#define SECOND 1000000000ULL
/* Slots looked at before one that was refused lately is taken all the same. */
#define TRIES 8

/* IPv4 is ::ffff:a.b.c.d; everything in network order. Has no holes: it is a key. */
struct place {
	__u32 address[4];
	__be16 port;
	__u8 protocol;
	__u8 zero;
};

struct service {
	/* Written after the slots that it leads to, and before those that go. */
	__u32 slots;
	/* 1: of two backends, the one with fewer open connections. */
	__u32 least;
	/* A client's connections stay for so long, s; 0: they do not. */
	__u32 affinity;
};

/* Who asks a service: a network namespace, which is a container or the host; it has no address yet. */
struct client {
	__u64 space;
	struct place service;
	__u32 zero;
};

struct stay {
	__u64 until;
	struct place target;
	__u32 zero;
};

struct member_key {
	struct place service;
	struct place target;
};

struct slot_key {
	struct place service;
	__u32 slot;
};

/* What a socket was led to. Ends with the socket. */
struct flow {
	struct place vip;
	struct place target;
	/* When it was led there, for connections. */
	__u64 since;
	__u32 slot;
	__u8 counted;
	__u8 established;
	__u8 closing;
	__u8 zero;
};

struct reply_key {
	__u64 socket;
	struct place from;
	__u32 zero;
};

struct ejection {
	__u64 until;
	__u64 failures;
};

/* Who the host is: the cookie of its network namespace. It is learned from a connection to this place, which fails. */
struct setup {
	__u64 host;
	__u32 address;
	__u32 port;
};

/* Sizes instead of types where a map can be long: bpftool lists those in fewer words. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct place));
	__uint(value_size, sizeof(struct service));
} services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1048576);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct slot_key));
	__uint(value_size, sizeof(struct place));
} slots SEC(".maps");

/* Backends of the services whose clients stay. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1048576);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct member_key));
	__uint(value_size, sizeof(__u32));
} members SEC(".maps");

/* Where clients' last connections went. Least recently used ones make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct client);
	__type(value, struct stay);
} clients SEC(".maps");

/* Sockets led to a backend and not closed, by backend. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct place));
	__uint(value_size, sizeof(__u64));
} opened SEC(".maps");

/* Connections taken, by service. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct place));
	__uint(value_size, sizeof(__u64));
} taken SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct place);
	__type(value, struct ejection);
} ejected SEC(".maps");

/* Whose address a datagram's sender shall see. Least recently used ones make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct reply_key);
	__type(value, struct place);
} replies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct setup);
} setup SEC(".maps");

static __always_inline bool same(const struct place *a, const struct place *b)
{
	return a->address[0] == b->address[0] && a->address[1] == b->address[1] && a->address[2] == b->address[2] &&
	       a->address[3] == b->address[3] && a->port == b->port && a->protocol == b->protocol;
}

static __always_inline struct place place4(struct bpf_sock_addr *ctx)
{
	return (struct place){ .address = { 0, 0, bpf_htonl(0xffff), ctx->user_ip4 },
			       .port = ctx->user_port,
			       .protocol = ctx->protocol };
}

static __always_inline struct place place6(struct bpf_sock_addr *ctx)
{
	return (struct place){ .address = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] },
			       .port = ctx->user_port,
			       .protocol = ctx->protocol };
}

static __always_inline void lead4(struct bpf_sock_addr *ctx, const struct place *to)
{
	ctx->user_ip4 = to->address[3];
	ctx->user_port = to->port;
}

static __always_inline void lead6(struct bpf_sock_addr *ctx, const struct place *to)
{
	ctx->user_ip6[0] = to->address[0];
	ctx->user_ip6[1] = to->address[1];
	ctx->user_ip6[2] = to->address[2];
	ctx->user_ip6[3] = to->address[3];
	ctx->user_port = to->port;
}

/* --- backends ------------------------------------------------------------------------------------------------- */

static __always_inline bool is_ejected(const struct place *target)
{
	struct ejection *ejection = bpf_map_lookup_elem(&ejected, target);
	return ejection && ejection->until > bpf_ktime_get_ns();
}

/*
 * Refused: a second at first, twice as long each time, half a minute at most. Silent: half a minute at once, since trying
 * costs a client as long as it waits; a connection that is answered late takes it back.
 */
static __always_inline void eject(const struct place *target, bool silent)
{
	struct ejection next = { .failures = 1 };
	struct ejection *before = bpf_map_lookup_elem(&ejected, target);
	__u64 now = bpf_ktime_get_ns();
	if (before) {
		/* Connections that were on their way together fail together. */
		if (before->until > now)
			return;
		next.failures = before->failures + 1;
	}
	__u64 span = silent || next.failures > 5 ? 30 * SECOND : SECOND << (next.failures - 1);
	next.until = now + span;
	bpf_map_update_elem(&ejected, target, &next, BPF_ANY);
}

static __always_inline void add(void *map, const struct place *key, __s64 by)
{
	__u64 *count = bpf_map_lookup_elem(map, key);
	if (!count) {
		__u64 zero = 0;
		if (by < 0)
			return;
		bpf_map_update_elem(map, key, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(map, key);
	}
	if (count)
		__sync_fetch_and_add(count, by);
}

static __always_inline __u64 open_at(const struct place *target)
{
	__u64 *count = bpf_map_lookup_elem(&opened, target);
	return count ? *count : 0;
}

/* The first slot from a random one whose backend was not refused lately; else the first at all. */
static __always_inline struct place *choose(struct slot_key *key, __u32 count)
{
	__u32 from = bpf_get_prandom_u32() % count;
	__u32 first_slot = 0;
	struct place *first = NULL;
#pragma unroll
	for (int i = 0; i < TRIES; i++) {
		key->slot = (from + i) % count;
		struct place *target = bpf_map_lookup_elem(&slots, key);
		if (!target)
			continue;
		if (!is_ejected(target))
			return target;
		if (!first) {
			first = target;
			first_slot = key->slot;
		}
	}
	key->slot = first_slot;
	return first;
}

static __always_inline struct place *choose_of(struct slot_key *key, const struct service *service)
{
	struct place *one = choose(key, service->slots);
	if (!one || !service->least)
		return one;
	__u32 slot = key->slot;
	struct place *two = choose(key, service->slots);
	if (two && open_at(two) < open_at(one))
		return two;
	key->slot = slot;
	return one;
}

/* Where the client's last connection went, if that is a backend still and takes connections; its time begins anew. */
static __always_inline struct place *stayed(struct client *client, const struct service *service)
{
	struct stay *stay = bpf_map_lookup_elem(&clients, client);
	__u64 now = bpf_ktime_get_ns();
	if (!stay || stay->until <= now)
		return NULL;
	struct member_key member = { .service = client->service, .target = stay->target };
	if (!bpf_map_lookup_elem(&members, &member) || is_ejected(&stay->target))
		return NULL;
	stay->until = now + service->affinity * SECOND;
	return &stay->target;
}

static __always_inline struct place *choose_for(struct bpf_sock_addr *ctx, struct slot_key *key, const struct service *service)
{
	if (!service->affinity)
		return choose_of(key, service);
	struct client client = { .space = bpf_get_netns_cookie(ctx), .service = key->service };
	struct place *target = stayed(&client, service);
	if (target) {
		/* It may be in any slot. */
		key->slot = ~0U;
		return target;
	}
	target = choose_of(key, service);
	if (target) {
		struct stay stay = { .until = bpf_ktime_get_ns() + service->affinity * SECOND, .target = *target };
		bpf_map_update_elem(&clients, &client, &stay, BPF_ANY);
	}
	return target;
}

/* --- TCP ------------------------------------------------------------------------------------------------------ */

static __always_inline void forget(struct flow *flow)
{
	if (!flow->counted)
		return;
	flow->counted = 0;
	add(&opened, &flow->target, -1);
}

/* True: `to` is where the connection goes. */
static __always_inline bool connects(struct bpf_sock_addr *ctx, const struct place *vip, struct place *to)
{
	struct service *service = bpf_map_lookup_elem(&services, vip);
	struct bpf_sock *sk = ctx->sk;
	if (!sk)
		return false;
	struct flow *flow = bpf_sk_storage_get(&flows, sk, 0, 0);
	if (flow)
		forget(flow);
	if (!service || !service->slots || vip->protocol != TCP)
		return false;
	struct slot_key key = { .service = *vip };
	struct place *target = choose_for(ctx, &key, service);
	if (!target)
		return false;
	*to = *target;
	flow = bpf_sk_storage_get(&flows, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!flow)
		return false;
	flow->vip = *vip;
	flow->target = *to;
	flow->slot = key.slot;
	flow->since = bpf_ktime_get_ns();
	flow->established = 0;
	flow->closing = 0;
	flow->counted = 1;
	add(&opened, to, 1);
	add(&taken, vip, 1);
	return true;
}

static __always_inline bool is_host(struct bpf_sock_addr *ctx, struct setup *own)
{
	return own && own->host == bpf_get_netns_cookie(ctx);
}

static __always_inline struct setup *own_setup(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&setup, &zero);
}

SEC("cgroup/connect4")
int host_connect4(struct bpf_sock_addr *ctx)
{
	struct setup *own = own_setup();
	struct place vip = place4(ctx), to;
	if (own && own->address && own->address == ctx->user_ip4 && own->port == ctx->user_port) {
		own->host = bpf_get_netns_cookie(ctx);
		return 0;
	}
	if (is_host(ctx, own) && connects(ctx, &vip, &to))
		lead4(ctx, &to);
	return 1;
}

SEC("cgroup/connect4")
int container_connect4(struct bpf_sock_addr *ctx)
{
	struct place vip = place4(ctx), to;
	if (connects(ctx, &vip, &to))
		lead4(ctx, &to);
	return 1;
}

SEC("cgroup/connect6")
int host_connect6(struct bpf_sock_addr *ctx)
{
	struct place vip = place6(ctx), to;
	if (is_host(ctx, own_setup()) && connects(ctx, &vip, &to))
		lead6(ctx, &to);
	return 1;
}

SEC("cgroup/connect6")
int container_connect6(struct bpf_sock_addr *ctx)
{
	struct place vip = place6(ctx), to;
	if (connects(ctx, &vip, &to))
		lead6(ctx, &to);
	return 1;
}

static __always_inline struct flow *flow_of(struct bpf_sock *sk)
{
	return sk ? bpf_sk_storage_get(&flows, sk, 0, 0) : NULL;
}

SEC("cgroup/getpeername4")
int peer4(struct bpf_sock_addr *ctx)
{
	struct place peer = place4(ctx);
	struct flow *flow = flow_of(ctx->sk);
	if (flow && same(&flow->target, &peer))
		lead4(ctx, &flow->vip);
	return 1;
}

SEC("cgroup/getpeername6")
int peer6(struct bpf_sock_addr *ctx)
{
	struct place peer = place6(ctx);
	struct flow *flow = flow_of(ctx->sk);
	if (flow && same(&flow->target, &peer))
		lead6(ctx, &flow->vip);
	return 1;
}

/* Called when the last process closes it, before TCP says goodbye. */
SEC("cgroup/sock_release")
int closed(struct bpf_sock *sk)
{
	struct flow *flow = bpf_sk_storage_get(&flows, sk, 0, 0);
	if (!flow)
		return 1;
	/* Somebody waited for an answer and gave up. */
	if (flow->counted && !flow->established && !flow->closing && bpf_ktime_get_ns() - flow->since > SECOND / 2)
		eject(&flow->target, true);
	flow->closing = 1;
	forget(flow);
	return 1;
}

/* Refused, unreachable, or a SYN that had to be sent again: the backend is left alone for a while. */
SEC("sockops")
int connecting(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk = ops->sk;
	if (!sk)
		return 1;
	if (ops->op != BPF_SOCK_OPS_TCP_CONNECT_CB && ops->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB &&
	    ops->op != BPF_SOCK_OPS_RTO_CB && ops->op != BPF_SOCK_OPS_STATE_CB)
		return 1;
	struct flow *flow = bpf_sk_storage_get(&flows, sk, 0, 0);
	if (!flow)
		return 1;
	if (ops->op == BPF_SOCK_OPS_TCP_CONNECT_CB) {
		bpf_sock_ops_cb_flags_set(ops, BPF_SOCK_OPS_RTO_CB_FLAG | BPF_SOCK_OPS_STATE_CB_FLAG);
	} else if (ops->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB) {
		flow->established = 1;
		if (bpf_map_lookup_elem(&ejected, &flow->target))
			bpf_map_delete_elem(&ejected, &flow->target);
		bpf_sock_ops_cb_flags_set(ops, 0);
	} else if (flow->established || flow->closing) {
		return 1;
	} else if (ops->op == BPF_SOCK_OPS_RTO_CB ||
		   (ops->args[0] == BPF_TCP_SYN_SENT && ops->args[1] == BPF_TCP_CLOSE)) {
		eject(&flow->target, ops->op == BPF_SOCK_OPS_RTO_CB);
	}
	return 1;
}

/* --- UDP ------------------------------------------------------------------------------------------------------ */

/*
 * Each datagram of a socket that is not connected finds its backend anew, so a change of the slots is in force at once. A
 * socket stays with its backend while that has its slot. Connected sockets pass here only once; they are left to nftables,
 * which can cut a flow over.
 */
static __always_inline bool sends(struct bpf_sock_addr *ctx, const struct place *vip, struct place *to)
{
	struct service *service = bpf_map_lookup_elem(&services, vip);
	struct bpf_sock *sk = ctx->sk;
	if (!service || !service->slots || !sk || vip->protocol != UDP)
		return false;
	struct slot_key key = { .service = *vip };
	struct flow *flow = bpf_sk_storage_get(&flows, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!flow)
		return false;
	if (same(&flow->vip, vip) && flow->slot < service->slots) {
		key.slot = flow->slot;
		struct place *kept = bpf_map_lookup_elem(&slots, &key);
		if (kept && same(kept, &flow->target)) {
			*to = *kept;
			goto known;
		}
	}
	struct place *target = choose_for(ctx, &key, service);
	if (!target)
		return false;
	*to = *target;
	if (same(&flow->vip, vip) && same(&flow->target, to))
		goto known;
	flow->vip = *vip;
	flow->target = *to;
	flow->slot = key.slot;
	add(&taken, vip, 1);
known:;
	struct reply_key reply = { .socket = bpf_get_socket_cookie(ctx), .from = *to };
	struct place *shown = bpf_map_lookup_elem(&replies, &reply);
	if (!shown || !same(shown, vip))
		bpf_map_update_elem(&replies, &reply, vip, BPF_ANY);
	return true;
}

SEC("cgroup/sendmsg4")
int host_send4(struct bpf_sock_addr *ctx)
{
	struct place vip = place4(ctx), to;
	if (is_host(ctx, own_setup()) && sends(ctx, &vip, &to))
		lead4(ctx, &to);
	return 1;
}

SEC("cgroup/sendmsg4")
int container_send4(struct bpf_sock_addr *ctx)
{
	struct place vip = place4(ctx), to;
	if (sends(ctx, &vip, &to))
		lead4(ctx, &to);
	return 1;
}

SEC("cgroup/sendmsg6")
int host_send6(struct bpf_sock_addr *ctx)
{
	struct place vip = place6(ctx), to;
	if (is_host(ctx, own_setup()) && sends(ctx, &vip, &to))
		lead6(ctx, &to);
	return 1;
}

SEC("cgroup/sendmsg6")
int container_send6(struct bpf_sock_addr *ctx)
{
	struct place vip = place6(ctx), to;
	if (sends(ctx, &vip, &to))
		lead6(ctx, &to);
	return 1;
}

SEC("cgroup/recvmsg4")
int receive4(struct bpf_sock_addr *ctx)
{
	struct reply_key reply = { .socket = bpf_get_socket_cookie(ctx), .from = place4(ctx) };
	struct place *vip = bpf_map_lookup_elem(&replies, &reply);
	if (vip)
		lead4(ctx, vip);
	return 1;
}

SEC("cgroup/recvmsg6")
int receive6(struct bpf_sock_addr *ctx)
{
	struct reply_key reply = { .socket = bpf_get_socket_cookie(ctx), .from = place6(ctx) };
	struct place *vip = bpf_map_lookup_elem(&replies, &reply);
	if (vip)
		lead6(ctx, vip);
	return 1;
}

char _license[] SEC("license") = "Apache-2.0";
