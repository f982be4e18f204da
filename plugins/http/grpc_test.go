package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// word is a message.
func word(s string) *wrapperspb.StringValue { return wrapperspb.String(s) }

// talker is a service with a method of each kind. Say waits for the end of the call when it is asked to.
func talker(t *testing.T) (address string, asked chan string) {
	t.Helper()
	asked = make(chan string, 100)
	say := func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := word("")
		if err := decode(in); err != nil {
			return nil, err
		}
		asked <- "say " + in.Value
		_ = grpc.SetTrailer(ctx, metadata.Pairs("checked", "yes"))
		switch in.Value {
		case "wait":
			<-ctx.Done()
			return nil, ctx.Err()
		case "fail":
			return nil, status.Error(codes.NotFound, "nothing: 100% so")
		}
		md, _ := metadata.FromIncomingContext(ctx)
		return word(in.Value + strings.Join(md.Get("who"), ",")), nil
	}
	stream := func(f func(grpc.ServerStream) error) grpc.StreamHandler {
		return func(_ any, s grpc.ServerStream) error { return f(s) }
	}
	count := stream(func(s grpc.ServerStream) error {
		in := word("")
		if err := s.RecvMsg(in); err != nil {
			return err
		}
		for i := range 5 {
			if err := s.SendMsg(word(fmt.Sprint(in.Value, i))); err != nil {
				return err
			}
		}
		s.SetTrailer(metadata.Pairs("checked", "yes"))
		return nil
	})
	gather := stream(func(s grpc.ServerStream) error {
		n := 0
		for {
			in := word("")
			if err := s.RecvMsg(in); errors.Is(err, io.EOF) {
				return s.SendMsg(word(fmt.Sprint(n)))
			} else if err != nil {
				return err
			}
			n += len(in.Value)
		}
	})
	echo := stream(func(s grpc.ServerStream) error {
		for {
			in := word("")
			if err := s.RecvMsg(in); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			if err := s.SendMsg(in); err != nil {
				return err
			}
		}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "talk.Talk", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{MethodName: "Say", Handler: say}},
		Streams: []grpc.StreamDesc{{StreamName: "Count", Handler: count, ServerStreams: true}, {StreamName: "Gather", Handler: gather, ClientStreams: true},
			{StreamName: "Echo", Handler: echo, ServerStreams: true, ClientStreams: true}}}, nil)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Stop()
		<-served
	})
	return l.Addr().String(), asked
}

// TestGRPC: a real client and server of gRPC: each kind of call, trailers, metadata, failures, deadlines; a denied call has the status that says so, and a held
// one goes on when it is approved.
func TestGRPC(t *testing.T) {
	server, asked := talker(t)
	who := person{verdict: make(chan gate.Verdict, 1)}
	waiting := make(chan struct{}, 1)
	g := gatewayTo(t, server, map[string]any{"h2c": true}, func(a *abi.Action) gate.Verdict {
		switch {
		case strings.Contains(a.Title, "/talk.Talk/Denied"):
			return gate.Verdict{Outcome: abi.Deny, Reason: "not this: 100%", Rule: "no talk"}
		case strings.Contains(a.Title, "/talk.Talk/Gather"):
			waiting <- struct{}{}
			return gate.Verdict{Pending: who}
		}
		return gate.Verdict{}
	})
	k, err := grpc.NewClient("passthrough:///"+g.l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, trailer := word(""), metadata.MD{}
	if err := k.Invoke(metadata.AppendToOutgoingContext(ctx, "who", "me"), "/talk.Talk/Say", word("hello "), out, grpc.Trailer(&trailer)); err != nil || out.Value != "hello me" || trailer.Get("checked")[0] != "yes" {
		t.Errorf("unary: %q %v %v", out.Value, trailer, err)
	}
	if err := k.Invoke(ctx, "/talk.Talk/Say", word("fail"), out); status.Code(err) != codes.NotFound || status.Convert(err).Message() != "nothing: 100% so" {
		t.Errorf("a failure: %v", err)
	}
	big := strings.Repeat("x", 1<<20)
	if err := k.Invoke(ctx, "/talk.Talk/Say", word(big), out); err != nil || out.Value != big {
		t.Errorf("1 MiB: %d bytes, %v", len(out.Value), err)
	}
	for err := error(nil); err == nil; { // what came of the calls above
		select {
		case <-asked:
		default:
			err = io.EOF
		}
	}
	short, stop := context.WithTimeout(ctx, 200*time.Millisecond)
	defer stop()
	if err := k.Invoke(short, "/talk.Talk/Say", word("wait"), out); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("a deadline: %v", err)
	}
	err = k.Invoke(ctx, "/talk.Talk/Denied", word("hello"), out)
	if status.Code(err) != codes.PermissionDenied || !strings.Contains(status.Convert(err).Message(), "not this: 100%") || !strings.Contains(status.Convert(err).Message(), "rule no talk") {
		t.Errorf("denied: %v", err)
	}
	grpcStreams(ctx, t, k, waiting, who)
}

func grpcStreams(ctx context.Context, t *testing.T, k *grpc.ClientConn, waiting chan struct{}, who person) {
	t.Helper()
	open := func(name string, d grpc.StreamDesc) grpc.ClientStream {
		s, err := k.NewStream(ctx, &d, "/talk.Talk/"+name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return s
	}
	s := open("Count", grpc.StreamDesc{ServerStreams: true})
	if err := errors.Join(s.SendMsg(word("n")), s.CloseSend()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		in := word("")
		if err := s.RecvMsg(in); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		got = append(got, in.Value)
	}
	if strings.Join(got, " ") != "n0 n1 n2 n3 n4" || s.Trailer().Get("checked")[0] != "yes" {
		t.Errorf("the server's stream: %q %v", got, s.Trailer())
	}
	// While a call waits for a person the others go on.
	held := open("Gather", grpc.StreamDesc{ClientStreams: true})
	<-waiting
	both := open("Echo", grpc.StreamDesc{ServerStreams: true, ClientStreams: true})
	for i := range 10 {
		in := word("")
		if err := errors.Join(both.SendMsg(word(fmt.Sprint(i))), both.RecvMsg(in)); err != nil || in.Value != fmt.Sprint(i) {
			t.Fatalf("both ways: %q %v", in.Value, err)
		}
	}
	if err := errors.Join(both.CloseSend(), eof(both.RecvMsg(word("")))); err != nil {
		t.Errorf("the end of both ways: %v", err)
	}
	for range 10 {
		if err := held.SendMsg(word("1234567890")); err != nil {
			t.Fatal(err)
		}
	}
	if err := held.CloseSend(); err != nil {
		t.Fatal(err)
	}
	who.verdict <- gate.Verdict{Outcome: abi.Allow}
	in := word("")
	if err := held.RecvMsg(in); err != nil || in.Value != "100" {
		t.Errorf("the client's stream, which was held: %q %v", in.Value, err)
	}
}

// eof is nothing for the end of a stream.
func eof(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("%w in place of the end", err)
}
