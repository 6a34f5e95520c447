package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

const (
	day = 24 * time.Hour
	// authorityLife is how long an authority signs; with a year left its successor is made.
	authorityLife  = 5 * 365 * day
	authorityRenew = 365 * day
	// spread is how long a new authority is only trusted before it signs: pods see a changed Secret within
	// two minutes, and one that missed a run of the CronJob within the next.
	spread = day
	// backdate is what a certificate's begin is moved back by, for clocks that differ.
	backdate = 5 * time.Minute
	// renewAnnotation on a certificate's Secret asks for another one in the next run, which takes it away.
	renewAnnotation = "chatapp/renew"
)

// authoritySpec is an authority and what it signs. Its own Secret has the key; nothing but this program reads
// it.
type authoritySpec struct {
	Secret       string            `json:"secret"`
	Name         string            `json:"name"`
	Certificates []certificateSpec `json:"certificates"`
}

type certificateSpec struct {
	Secret string   `json:"secret"`
	Names  []string `json:"names"`
	// Usages: server for being called, client for calling.
	Usages []string `json:"usages"`
}

// identity is a certificate with its key.
type identity struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// authority is who signs, who will, and who did: all of them are trusted.
type authority struct {
	current  *identity
	next     *identity
	previous *x509.Certificate
}

// ensureAuthority makes an authority and its certificates, and renews what is due. A successor is trusted for
// a day before it signs, so that no pod ever meets a certificate of an authority that it does not know.
func ensureAuthority(ctx context.Context, api *cluster, wanted *spec, made authoritySpec, now time.Time) error {
	stored, err := api.get(ctx, made.Secret)
	if errors.Is(err, errNotFound) {
		stored, err = nil, nil
	}
	if err != nil {
		return err
	}
	signer := new(authority)
	if stored != nil {
		if signer, err = authorityOf(stored.Data); err != nil {
			return fmt.Errorf("Secret %s: %w", made.Secret, err)
		}
	}
	changed, err := signer.advance(made.Name, now)
	if err != nil {
		return err
	}
	if changed {
		if err := write(ctx, api, wanted, stored, made.Secret, "", signer.data()); err != nil {
			return err
		}
	}
	for _, certificate := range made.Certificates {
		if err := ensureCertificate(ctx, api, wanted, signer, certificate, now); err != nil {
			return err
		}
	}
	return nil
}

// advance does the next step of an authority's life, and says whether it did one.
func (a *authority) advance(name string, now time.Time) (bool, error) {
	var err error
	switch {
	case a.current == nil:
		a.current, err = newAuthority(name, now)
		say("authority %s made", name)
	case a.next == nil && a.current.certificate.NotAfter.Sub(now) < authorityRenew:
		a.next, err = newAuthority(name, now)
		say("authority %s: its successor is made and trusted; it signs from the next day on", name)
	case a.next != nil && now.Sub(a.next.certificate.NotBefore) >= spread:
		a.previous, a.current, a.next = a.current.certificate, a.next, nil
		say("authority %s: its successor signs from now on", name)
	case a.previous != nil && now.After(a.previous.NotAfter):
		a.previous = nil
	default:
		return false, nil
	}
	return true, err
}

// bundle is everybody who is trusted, the signer first.
func (a *authority) bundle() []byte {
	bundle := encodeCertificate(a.current.certificate)
	if a.next != nil {
		bundle = append(bundle, encodeCertificate(a.next.certificate)...)
	}
	if a.previous != nil {
		bundle = append(bundle, encodeCertificate(a.previous)...)
	}
	return bundle
}

func (a *authority) data() map[string][]byte {
	data := map[string][]byte{
		"tls.crt": encodeCertificate(a.current.certificate),
		"tls.key": encodeKey(a.current.key),
	}
	if a.next != nil {
		data["next.crt"], data["next.key"] = encodeCertificate(a.next.certificate), encodeKey(a.next.key)
	}
	if a.previous != nil {
		data["previous.crt"] = encodeCertificate(a.previous)
	}
	return data
}

func authorityOf(data map[string][]byte) (*authority, error) {
	read := new(authority)
	var err error
	if read.current, err = identityOf(data["tls.crt"], data["tls.key"]); err != nil {
		return nil, err
	}
	if len(data["next.crt"]) > 0 {
		if read.next, err = identityOf(data["next.crt"], data["next.key"]); err != nil {
			return nil, err
		}
	}
	if len(data["previous.crt"]) > 0 {
		if read.previous, err = parseCertificate(data["previous.crt"]); err != nil {
			return nil, err
		}
	}
	return read, nil
}

func ensureCertificate(ctx context.Context, api *cluster, wanted *spec, signer *authority, made certificateSpec, now time.Time) error {
	stored, err := api.get(ctx, made.Secret)
	if errors.Is(err, errNotFound) {
		stored, err = nil, nil
	}
	if err != nil {
		return err
	}
	data := map[string][]byte{"ca.crt": signer.bundle()}
	reason := dueReason(stored, wanted, signer, made, now)
	if reason == "" {
		if bytes.Equal(stored.Data["ca.crt"], data["ca.crt"]) {
			say("certificate %s is good", made.Secret)
			return nil
		}
		data["tls.crt"], data["tls.key"] = stored.Data["tls.crt"], stored.Data["tls.key"]
		reason = "its authorities changed"
	} else {
		issued, err := signer.issue(made, time.Duration(wanted.Days)*day, now)
		if err != nil {
			return err
		}
		data["tls.crt"], data["tls.key"] = encodeCertificate(issued.certificate), encodeKey(issued.key)
	}
	say("certificate %s is written: %s", made.Secret, reason)
	return write(ctx, api, wanted, stored, made.Secret, "kubernetes.io/tls", data)
}

// dueReason says why a certificate has to be made, or nothing.
func dueReason(stored *secret, wanted *spec, signer *authority, made certificateSpec, now time.Time) string {
	if stored == nil {
		return "there was none"
	}
	held, err := identityOf(stored.Data["tls.crt"], stored.Data["tls.key"])
	_, asked := stored.Metadata.Annotations[renewAnnotation]
	switch {
	case asked:
		return "somebody asked for it"
	case err != nil:
		return err.Error()
	case held.certificate.NotAfter.Sub(now) < time.Duration(wanted.RenewBeforeDays)*day:
		return "it ends at " + held.certificate.NotAfter.UTC().Format(time.RFC3339)
	case !slices.Equal(held.certificate.DNSNames, made.Names):
		return "its names changed"
	case held.certificate.CheckSignatureFrom(signer.current.certificate) != nil:
		return "its authority has a successor"
	}
	return ""
}

// write creates or replaces a Secret, and takes the request for a renewal away.
func write(ctx context.Context, api *cluster, wanted *spec, stored *secret, name, kind string, data map[string][]byte) error {
	if stored == nil {
		return api.create(ctx, &secret{Metadata: metadata{Name: name, Labels: wanted.Labels}, Type: kind, Data: data})
	}
	stored.Data = data
	delete(stored.Metadata.Annotations, renewAnnotation)
	return api.update(ctx, stored)
}

func newAuthority(name string, now time.Time) (*identity, error) {
	template := &x509.Certificate{
		// Its day, so that a successor has another name.
		Subject:               pkix.Name{CommonName: name + " " + now.UTC().Format(time.DateOnly)},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(authorityLife),
		IsCA:                  true,
		MaxPathLenZero:        true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	return sign(template, nil)
}

func (a *authority) issue(made certificateSpec, life time.Duration, now time.Time) (*identity, error) {
	var usages []x509.ExtKeyUsage
	if slices.Contains(made.Usages, "server") {
		usages = append(usages, x509.ExtKeyUsageServerAuth)
	}
	if slices.Contains(made.Usages, "client") {
		usages = append(usages, x509.ExtKeyUsageClientAuth)
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: made.Names[0]},
		DNSNames:    made.Names,
		NotBefore:   now.Add(-backdate),
		NotAfter:    now.Add(life),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: usages,
	}
	return sign(template, a.current)
}

// sign makes a key and its certificate, signed by the parent, or by itself without one.
func sign(template *x509.Certificate, parent *identity) (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	// RFC 5280, section 4.1.2.2: positive, at most 20 bytes.
	template.SerialNumber = new(big.Int).SetBytes(random(16))
	if parent == nil {
		parent = &identity{template, key}
	}
	encoded, err := x509.CreateCertificate(rand.Reader, template, parent.certificate, key.Public(), parent.key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(encoded)
	return &identity{certificate, key}, err
}

func identityOf(certificate, key []byte) (*identity, error) {
	parsed, err := parseCertificate(certificate)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(key)
	if block == nil {
		return nil, errors.New("tls.key holds no key")
	}
	held, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("tls.key holds no key of ours (PKCS #8)")
	}
	signer, ok := held.(*ecdsa.PrivateKey)
	if !ok || !signer.PublicKey.Equal(parsed.PublicKey) {
		return nil, errors.New("tls.key is not the key of tls.crt")
	}
	return &identity{parsed, signer}, nil
}

func parseCertificate(encoded []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(encoded)
	if block == nil {
		return nil, errors.New("there is no certificate in it")
	}
	return x509.ParseCertificate(block.Bytes)
}

func encodeCertificate(certificate *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
}

func encodeKey(key crypto.Signer) []byte {
	// Never fails for a key of ecdsa.
	encoded, _ := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}
